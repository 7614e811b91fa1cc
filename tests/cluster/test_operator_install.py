"""Installing operators: what a real API server, with no nodes behind it, takes and refuses."""

from __future__ import annotations

import asyncio
import gzip
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from helm_python import Chart

from support.cluster import api_server
from support.fakes.check_site import rendered
from support.fakes.check_site import site as check_site
from support.release import helm_secrets
from vrooli import operators, programs
from vrooli.checks.operators import postgres_images
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube, Manifest, objects
from vrooli.operators import Operator, Site, Source
from vrooli.operators.installation import record, sources
from vrooli.operators.installation.chart_sums import ANNOTATION
from vrooli.operators.installation.install import install
from vrooli.operators.model import State, VendorChart
from vrooli.operators.redis import probes

PROGRESS = Progress()
# How long a new admission policy may take to be obeyed, seconds.
ADMISSION_S = 120.0
OPERATOR_DELAY_S = 30
each = pytest.mark.parametrize("operator", operators.OPERATORS, ids=lambda operator: operator.name)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A bare API server's kubeconfig."""
    found = asyncio.run(programs.ensure(["etcd", "kube-apiserver"], PROGRESS))
    with api_server.running(found, tmp_path_factory.mktemp("bare")) as path:
        yield path


@pytest.fixture
async def site(kubeconfig: Path) -> AsyncIterator[Site]:
    async with await Kube.connect(kubeconfig) as kube:
        yield Site(kube, kubeconfig)


async def workload(site: Site, operator: Operator) -> Manifest:
    """The operator's Deployment."""
    found = await site.kube.list("apps/v1", "Deployment", operator.namespace, operator.selector)
    assert len(found) == 1
    return found[0]


@each
async def test_operator_is_taken_in_strict_validation_and_then_left_alone(
    site: Site, operator: Operator
) -> None:
    await install(operator, Source.GO_MODULE, site, PROGRESS)
    deployment = await workload(site, operator)
    done = await install(operator, Source.GO_MODULE, site, PROGRESS)
    assert not done.changed
    assert await workload(site, operator) == deployment


@each
async def test_operator_runs_our_images_within_the_restricted_standard(
    site: Site, operator: Operator
) -> None:
    await install(operator, Source.GO_MODULE, site, PROGRESS)
    pod = (await workload(site, operator))["spec"]["template"]
    images = {container["image"] for container in pod["spec"]["containers"]}
    assert images <= set(operator.distributions[Source.GO_MODULE].images)
    # The server's own admission decides, in a namespace that enforces the standard.
    metadata = {**pod["metadata"], "name": "probe", "namespace": operator.namespace}
    await site.kube.applied({"apiVersion": "v1", "kind": "Pod", **pod, "metadata": metadata})


@each
async def test_status_says_which_source_and_version_runs(site: Site, operator: Operator) -> None:
    await install(operator, Source.GO_MODULE, site, PROGRESS)
    status = await operators.status(operator, site.kube)
    assert (status.source, status.version) == (
        "go-module",
        operator.distributions[Source.GO_MODULE].version,
    )
    assert status.state is State.NOT_READY  # there are no nodes
    assert status.detail


@each
async def test_image_that_was_built_anew_rolls_the_operator(site: Site, operator: Operator) -> None:
    built = dict.fromkeys(operator.distributions[Source.GO_MODULE].images, "of now")
    await install(operator, Source.GO_MODULE, site, PROGRESS)
    before = await workload(site, operator)
    done = await install(operator, Source.GO_MODULE, replace(site, image_hashes=built), PROGRESS)
    after = await workload(site, operator)
    assert done.changed
    assert after["spec"]["template"] != before["spec"]["template"]
    await install(operator, Source.GO_MODULE, site, PROGRESS)


@each
async def test_deleted_deployment_is_made_again(site: Site, operator: Operator) -> None:
    await install(operator, Source.GO_MODULE, site, PROGRESS)
    name = operator.distributions[Source.GO_MODULE].deployment
    await site.kube.delete("apps/v1", "Deployment", name, operator.namespace)
    assert (await install(operator, Source.GO_MODULE, site, PROGRESS)).changed
    await workload(site, operator)


async def test_postgres_pods_are_made_to_fit_the_restricted_standard(site: Site) -> None:
    """They name no seccomp profile themselves; nobody else's pods are touched."""
    await install(operators.PGO, Source.GO_MODULE, site, PROGRESS)
    assert await operators.PGO.is_restricted(site.kube)
    labels = {"postgres-operator.crunchydata.com/cluster": "vrooli-pg"}
    deadline = time.monotonic() + ADMISSION_S  # the policy takes effect a moment later
    while True:
        try:
            await site.kube.applied(without_seccomp("ours", labels))
        except VrooliError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)
        else:
            break
    with pytest.raises(VrooliError, match="seccompProfile"):
        await site.kube.applied(without_seccomp("stranger", {}))


async def test_redis_pods_are_probed_without_the_delay_of_the_operator(site: Site) -> None:
    await install(operators.REDIS, Source.GO_MODULE, site, PROGRESS)
    deadline = time.monotonic() + ADMISSION_S
    while "initialDelaySeconds" in (redis := await probe(site, "redis")):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)
    kept = {"timeoutSeconds": 5, "successThreshold": 1}
    times = {"periodSeconds": 10, "failureThreshold": 3}
    assert redis == {**times, **kept, "exec": {"command": ["their probe"]}}
    assert await probe(site, "sentinel") == {
        "periodSeconds": 5,
        "failureThreshold": 6,
        **kept,
        "exec": {"command": ["sh", "-c", probes.SENTINEL_READY]},
    }


async def test_other_pods_retain_their_probes(site: Site) -> None:
    """Those without the operator's label, and containers of other names."""
    await install(operators.REDIS, Source.GO_MODULE, site, PROGRESS)
    for item in (await probe(site, "redis", labels={}), await probe(site, "exporter")):
        assert item["initialDelaySeconds"] == OPERATOR_DELAY_S


async def probe(site: Site, container: str, labels: dict[str, str] | None = None) -> Manifest:
    """The readiness probe that the API server gives to a pod with the operator's probe."""
    if labels is None:
        labels = {"redisfailovers.databases.spotahome.com/name": "vrooli-rf"}
    body = without_seccomp("redis", labels)
    body["spec"]["containers"][0] |= {
        "name": container,
        "readinessProbe": {
            "initialDelaySeconds": OPERATOR_DELAY_S,
            "timeoutSeconds": 5,
            "exec": {"command": ["their probe"]},
        },
    }
    body["spec"]["securityContext"]["seccompProfile"] = {"type": "RuntimeDefault"}
    applied = await site.kube.applied(body)
    given: Manifest = applied["spec"]["containers"][0]["readinessProbe"]
    return given


def without_seccomp(name: str, labels: dict[str, str]) -> Manifest:
    """A pod that lacks nothing but a profile, in a namespace that enforces the standard."""
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
    }
    container = {"name": "main", "image": "localhost/none", "securityContext": security}
    metadata = {"name": name, "namespace": operators.PGO.namespace, "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [container], "securityContext": {"fsGroup": 26}},
    }


@pytest.mark.parametrize("left", ["pending-install", "pending-upgrade"])
async def test_release_that_a_killed_run_left_pending_is_healed(site: Site, left: str) -> None:
    operator = operators.REDIS
    await install(operator, Source.GO_MODULE, site, PROGRESS)
    await mark_release(site, left, alone=left == "pending-install")
    await record.write(site.kube, operator.namespace, record.Record(ours=True))
    assert (await install(operator, Source.GO_MODULE, site, PROGRESS)).changed
    assert (await releases(site))[-1]["metadata"]["labels"]["status"] == "deployed"


async def releases(site: Site) -> list[Manifest]:
    """Helm's records of the Redis operator, oldest first."""
    found = await site.kube.list("v1", "Secret", operators.REDIS.namespace, "owner=helm")
    return sorted(found, key=lambda item: int(item["metadata"]["labels"]["version"]))


async def mark_release(site: Site, status: str, *, alone: bool) -> None:
    """Write into Helm's newest record what Helm writes before it begins.

    Args:
        site: The cluster.
        status: The status to write.
        alone: Whether it is to be the only record.
    """
    *older, newest = await releases(site)
    for item in older if alone else []:
        await site.kube.delete("v1", "Secret", item["metadata"]["name"], operators.REDIS.namespace)
    noted = helm_secrets.unpacked(newest)
    noted["info"]["status"] = status
    change = {
        "data": {"release": helm_secrets.packed(noted)},
        "metadata": {"labels": {"status": status}},
    }
    name, namespace = newest["metadata"]["name"], operators.REDIS.namespace
    await site.kube.patch("v1", "Secret", name, namespace, change)


def local_redis(url: str, namespace: str = "redis-vendor") -> Operator:
    """The Redis operator beside the others, from a repository on this host."""
    chart = VendorChart("redis-operator", "3.2.6", (url,))
    return replace(operators.REDIS, vendor=chart, namespace=namespace)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder over HTTP."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
async def repository(site: Site, tmp_path: Path) -> AsyncIterator[str]:
    """A chart repository as a vendor has one, with the Redis operator's real chart."""
    module = await site.module_dir("redis-operator", PROGRESS)
    with Chart.load(module / "charts" / "redisoperator") as chart:
        archive = Path(chart.save(tmp_path))
        entry = {**chart.metadata, "urls": [archive.name]}
    index = {"apiVersion": "v1", "entries": {"redis-operator": [entry]}}
    (tmp_path / "index.yaml").write_text(yaml.safe_dump(index))
    with served(tmp_path) as url:
        yield url


@pytest.fixture
async def no_redis(site: Site) -> None:
    """Takes away what another test installed cluster-wide."""
    found = await site.kube.list("apps/v1", "Deployment", None, operators.REDIS.selector)
    for item in found:
        metadata = item["metadata"]
        await site.kube.delete("apps/v1", "Deployment", metadata["name"], metadata["namespace"])
    for item in await releases(site):
        await site.kube.delete("v1", "Secret", item["metadata"]["name"], operators.REDIS.namespace)
    for kind in ("ClusterRole", "ClusterRoleBinding"):
        await site.kube.delete(
            "rbac.authorization.k8s.io/v1",
            kind,
            operators.REDIS.distributions[Source.VENDOR].deployment,
        )


@pytest.mark.usefixtures("no_redis")
async def test_vendors_chart_is_chosen_where_it_is_reached_and_said_in_status(
    site: Site, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(sources.VARIABLE, raising=False)
    operator = local_redis(repository)
    chosen = await operators.choose([operator], site.kube)
    assert chosen[operator.name] is Source.VENDOR
    assert (await install(operator, Source.VENDOR, site, PROGRESS)).changed
    image = (await workload(site, operator))["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "quay.io/spotahome/redis-operator:v1.2.4"
    assert (await operators.status(operator, site.kube)).source == "vendor"
    namespace = await site.kube.get("v1", "Namespace", operator.namespace)
    assert namespace is not None
    assert objects.labels(namespace)["pod-security.kubernetes.io/enforce"] == "restricted"
    pod = (await workload(site, operator))["spec"]["template"]
    metadata = {**pod["metadata"], "name": "probe", "namespace": operator.namespace}
    await site.kube.applied({"apiVersion": "v1", "kind": "Pod", **pod, "metadata": metadata})


@pytest.mark.usefixtures("no_redis")
async def test_vendors_definitions_are_upgraded_with_the_chart(site: Site, repository: str) -> None:
    operator = local_redis(repository, "redis-definitions")
    name = operators.REDIS.resources[0].definition
    crd = ("apiextensions.k8s.io/v1", "CustomResourceDefinition", name)
    await install(operator, Source.GO_MODULE, site, PROGRESS)
    await site.kube.patch(*crd, None, {"spec": {"names": {"shortNames": ["old"]}}})
    await install(operator, Source.VENDOR, site, PROGRESS)
    definition = await site.kube.get(*crd)
    assert definition is not None
    assert definition["spec"]["names"].get("shortNames") != ["old"]


@pytest.mark.usefixtures("no_redis")
async def test_a_chart_that_changes_under_its_version_is_refused(
    site: Site, repository: str, tmp_path: Path
) -> None:
    operator = local_redis(repository, "redis-changed")
    await install(operator, Source.VENDOR, site, PROGRESS)
    namespace = await site.kube.get("v1", "Namespace", operator.namespace)
    assert namespace is not None
    digest = objects.annotations_of(namespace)[ANNOTATION]
    assert re.fullmatch(r"redis-operator-3\.2\.6@sha256:[0-9a-f]{64}", digest)
    await forget(site, operator)
    assert (await install(operator, Source.VENDOR, site, PROGRESS)).changed
    await forget(site, operator)
    (archive,) = tmp_path.glob("*.tgz")
    archive.write_bytes(gzip.compress(gzip.decompress(archive.read_bytes()), 1, mtime=1))
    with pytest.raises(VrooliError, match="a published version does not change"):
        await install(operator, Source.VENDOR, site, PROGRESS)


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Chart.Name }}
  labels: {postgres-operator.crunchydata.com/control-plane: pgo}
spec:
  selector: {matchLabels: {postgres-operator.crunchydata.com/control-plane: pgo}}
  template:
    metadata: {labels: {postgres-operator.crunchydata.com/control-plane: pgo}}
    spec:
      containers:
        - name: operator
          image: {{ .Values.image }}
          env:
            {{- range $id, $image := .Values.relatedImages }}
            - {name: RELATED_IMAGE_{{ $id | upper }}, value: {{ $image | quote }}}
            {{- end }}
            - name: CHECK_FOR_UPGRADES
              value: {{ not .Values.disable_check_for_upgrades | quote }}
          securityContext:
            seccompProfile: {type: RuntimeDefault}
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}
            readOnlyRootFilesystem: true
            runAsNonRoot: true
"""
IMAGES = {name: f"r/{name}:1" for name in ("postgres_16", "postgres_17", "pgbackrest", "pgbouncer")}


@pytest.fixture
def pgo_repository(tmp_path: Path) -> Iterator[str]:
    """A repository with a chart of the form of PGO's: Deployment, environment and security."""
    source = tmp_path / "pgo"
    (source / "templates").mkdir(parents=True)
    metadata = {"apiVersion": "v2", "name": "pgo", "version": "5.8.2", "appVersion": "5.8.2"}
    chosen = {"image": "r/postgres-operator:ubi9-5.8.2-0", "relatedImages": IMAGES}
    (source / "Chart.yaml").write_text(yaml.safe_dump(metadata))
    (source / "values.yaml").write_text(yaml.safe_dump(chosen))
    (source / "templates" / "manager.yaml").write_text(DEPLOYMENT)
    served_folder = tmp_path / "served"
    served_folder.mkdir()
    with Chart.load(source) as chart:
        archive = Path(chart.save(served_folder))
    entry = {**metadata, "urls": [archive.name]}
    index = {"apiVersion": "v1", "entries": {"pgo": [entry]}}
    (served_folder / "index.yaml").write_text(yaml.safe_dump(index))
    with served(served_folder) as url:
        yield url


async def test_the_images_of_the_vendors_chart_decide_which_postgresql_runs(
    site: Site, pgo_repository: str
) -> None:
    deployments = await site.kube.list("apps/v1", "Deployment", None, operators.PGO.selector)
    for item in deployments:
        place = item["metadata"]["namespace"]
        await site.kube.delete("apps/v1", "Deployment", item["metadata"]["name"], place)
    chart = VendorChart("pgo", "5.8.2", (pgo_repository,))
    operator = replace(operators.PGO, vendor=chart, namespace="pgo-vendor")
    assert (await install(operator, Source.VENDOR, site, PROGRESS)).changed
    pod = (await workload(site, operator))["spec"]["template"]
    env = {item["name"]: item["value"] for item in pod["spec"]["containers"][0]["env"]}
    assert env["CHECK_FOR_UPGRADES"] == "false"
    metadata = {**pod["metadata"], "name": "probe", "namespace": operator.namespace}
    await site.kube.applied({"apiVersion": "v1", "kind": "Pod", **pod, "metadata": metadata})
    status = await operators.status(operator, site.kube)
    assert (status.version, status.source, status.notes) == ("5.8.2", "vendor", ())
    clusters = rendered("staging", pgoPostgresql={"postgresVersion": 15})
    result = await postgres_images.run(check_site(clusters, site.kube))
    messages = " ".join(str(finding) for finding in result.findings)
    assert "no image of PostgreSQL 15" in messages
    assert "16 or 17" in messages
    name = (await workload(site, operator))["metadata"]["name"]
    await site.kube.delete("apps/v1", "Deployment", name, operator.namespace)


async def forget(site: Site, operator: Operator) -> None:
    """Mark an operator as incomplete, so that it is installed again."""
    await record.write(site.kube, operator.namespace, record.Record(ours=True))


@pytest.mark.usefixtures("no_redis")
async def test_vendor_that_went_away_is_a_lack_with_advice(site: Site) -> None:
    operator = local_redis("http://127.0.0.1:9", "redis-gone")
    with pytest.raises(PrerequisiteError, match="No repository of the chart") as raised:
        await install(operator, Source.VENDOR, site, PROGRESS)
    assert "VROOLI_OPERATORS_SOURCE=go-module" in raised.value.advice


@pytest.mark.usefixtures("no_redis")
async def test_someone_elses_operator_is_left_as_it_is_and_said_so(site: Site) -> None:
    labels = {"app.kubernetes.io/name": "redis-operator", "app.kubernetes.io/version": "1.1.0"}
    await site.kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "theirs"}})
    theirs = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "redis", "namespace": "theirs", "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "redis", "image": "theirs:1.1.0"}]},
            },
        },
    }
    operator = local_redis("", "redis-ours")
    await site.kube.apply(theirs)
    done = await install(operator, Source.GO_MODULE, site, PROGRESS)
    assert done.detail == "theirs/redis 1.1.0 was not installed by vrooli and is left unchanged"
    assert await site.kube.get("v1", "Namespace", "redis-ours") is None
    status = await operators.status(operator, site.kube)
    assert (status.source, status.version, status.namespace) == ("foreign", "1.1.0", "theirs")
    await site.kube.delete("apps/v1", "Deployment", "redis", "theirs")
