"""What the chart's objects promise, whatever the values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.rendering import render
from vrooli import project
from vrooli.chart import golden, values
from vrooli.chart.manifest import Manifest
from vrooli.environments import ENVIRONMENTS, Environment
from vrooli_server.uploads import OVERHEAD_BYTES
from vrooli_shared.settings import Settings

SHARED = "vrooli-config-shared-all"
PRIVATE = {"vrooli-secrets-shared-server-jobs", "vrooli-postgres-creds", "vrooli-redis-creds"}
PULL = "vrooli-dockerhub-pull-secret"
COMPONENTS = ("ui", "server", "jobs", "nsfw-detector", "adminer")
# The only one that speaks with Kubernetes.
ROTATOR = "rotator"
LIVE_AND_READY = ("liveness", "readiness")
TESTS = ("configmap-value", "nsfw-detector", "jobs", "server", "ui")


def pod(manifest: Manifest) -> dict[str, Any]:
    """The pod's spec of a Deployment or a Pod."""
    spec: dict[str, Any] = manifest.body["spec"]
    return spec["template"]["spec"] if manifest.kind == "Deployment" else spec


def container(manifest: Manifest) -> dict[str, Any]:
    """The only container of a Deployment or a Pod."""
    (found,) = pod(manifest)["containers"]
    return dict(found)


def secrets_of(manifest: Manifest) -> set[str]:
    """The Secrets that a pod's container reads as a whole."""
    sources = container(manifest).get("envFrom", [])
    return {item["secretRef"]["name"] for item in sources if "secretRef" in item}


def test_the_names_begin_with_the_release() -> None:
    found = render(release="vrooli-dev")
    for name in COMPONENTS:
        assert f"Deployment/vrooli-dev-{name}" in found
        assert f"Service/vrooli-dev-{name}" in found
    assert "PostgresCluster/vrooli-pg" in found
    assert "RedisFailover/vrooli-rf" in found


@pytest.mark.parametrize(
    ("settings", "prefix"),
    [
        ({"nameOverride": "other"}, "demo-other"),
        ({"fullnameOverride": "mine"}, "mine"),
        ({"nameOverride": "demo"}, "demo"),
    ],
)
def test_the_overrides_change_the_names(settings: dict[str, str], prefix: str) -> None:
    assert f"Service/{prefix}-server" in render(settings)


def test_the_longest_release_name_gives_valid_names_that_differ() -> None:
    first, second = render(release="a" * 53), render(release="a" * 52 + "b")
    services = [key for key in first if key.startswith("Service/")]
    assert all(len(key.removeprefix("Service/")) <= 63 for key in services)
    assert not set(services) & {key for key in second if key.startswith("Service/")}


@pytest.mark.parametrize("name", [*COMPONENTS, ROTATOR, *(f"{name}-test" for name in TESTS)])
def test_each_pod_is_restricted(name: str) -> None:
    found = render()
    manifest = found.get(f"Deployment/demo-{name}") or found[f"Pod/demo-{name}"]
    spec, only = pod(manifest), container(manifest)
    assert spec["automountServiceAccountToken"] is (name == ROTATOR)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"]["allowPrivilegeEscalation"] is False
    assert only["securityContext"]["readOnlyRootFilesystem"] is True
    assert only["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {"cpu", "memory"} <= only["resources"]["requests"].keys()
    assert {"cpu", "memory"} <= only["resources"]["limits"].keys()
    assert spec["imagePullSecrets"] == [{"name": PULL}]


@pytest.mark.parametrize("name", [*COMPONENTS, ROTATOR])
def test_each_component_has_a_service_account_without_a_token(name: str) -> None:
    found = render()
    account = found[f"ServiceAccount/demo-{name}"]
    assert account.body["automountServiceAccountToken"] is False
    assert pod(found[f"Deployment/demo-{name}"])["serviceAccountName"] == account.name


def test_the_ui_sees_the_shared_configuration_only() -> None:
    ui = render()["Deployment/demo-ui"]
    assert secrets_of(ui) == {SHARED}
    for secret in PRIVATE:
        assert secret not in json.dumps(dict(ui.body))


@pytest.mark.parametrize("name", ["server", "jobs"])
def test_server_and_jobs_see_all_four_secrets(name: str) -> None:
    assert secrets_of(render()[f"Deployment/demo-{name}"]) == {SHARED, *PRIVATE}


@pytest.mark.parametrize("name", ["nsfw-detector", "adminer"])
def test_the_others_see_no_secret(name: str) -> None:
    assert secrets_of(render()[f"Deployment/demo-{name}"]) == set()


def test_the_detector_is_probed_by_tcp_and_the_others_say_which_probe_asks() -> None:
    found = render()
    assert "tcpSocket" in container(found["Deployment/demo-nsfw-detector"])["livenessProbe"]
    server = container(found["Deployment/demo-server"])
    for probe in ("liveness", "readiness"):
        asked = server[f"{probe}Probe"]["httpGet"]
        assert asked["path"] == "/healthcheck"
        assert asked["httpHeaders"] == [{"name": "X-Probe", "value": probe}]


def test_the_pods_are_rolled_when_what_they_read_changes() -> None:
    def notes(name: str, settings: dict[str, Any]) -> dict[str, str]:
        body = render(settings)[f"Deployment/demo-{name}"].body
        return dict(body["spec"]["template"]["metadata"]["annotations"])

    before, after = {}, {"config": {"logLevel": "debug"}}
    assert notes("ui", before) != notes("ui", after)
    assert notes("adminer", before) == notes("adminer", after)
    other_database = {"pgoPostgresql": {"clusterName": "other"}}
    assert notes("server", before) != notes("server", other_database)
    assert notes("ui", before) == notes("ui", other_database)
    rolled = {"services": {"ui": {"podAnnotations": {"inputs": "abc"}}}}
    assert notes("ui", rolled)["inputs"] == "abc"


def test_the_gpu_is_asked_for_only_when_enabled() -> None:
    def limits(settings: dict[str, Any]) -> dict[str, Any]:
        detector = container(render(settings)["Deployment/demo-nsfw-detector"])
        return dict(detector["resources"]["limits"])

    assert "nvidia.com/gpu" not in limits({})
    gpu = {"enabled": True, "type": "amd.com/gpu", "count": 2}
    assert limits({"services": {"nsfwDetector": {"gpu": gpu}}})["amd.com/gpu"] == 2


def test_a_rollout_needs_no_gpu_more_than_the_pods_have() -> None:
    def rolling(settings: dict[str, Any], name: str) -> Any:
        return render(settings)[f"Deployment/demo-{name}"].body["spec"]["strategy"]["rollingUpdate"]

    gpu = {"services": {"nsfwDetector": {"gpu": {"enabled": True}}}}
    assert rolling(gpu, "nsfw-detector") == {"maxSurge": 0, "maxUnavailable": 1}
    assert rolling(gpu, "server") == {"maxSurge": 1, "maxUnavailable": 0}
    assert rolling({}, "nsfw-detector") == {"maxSurge": 1, "maxUnavailable": 0}


def test_a_disabled_service_leaves_nothing_behind() -> None:
    found = render({"services": {"nsfwDetector": {"enabled": False}}})
    assert [key for key in found if "nsfw" in key] == []
    assert "NSFW_DETECTOR_URL" not in found["ConfigMap/demo-connections"].body["data"]


def test_an_autoscaled_deployment_names_no_replicas() -> None:
    found = render({"services": {"server": {"autoscaling": {"enabled": True}}}})
    assert "replicas" not in found["Deployment/demo-server"].body["spec"]
    target = found["HorizontalPodAutoscaler/demo-server"].body["spec"]["scaleTargetRef"]
    assert target["name"] == "demo-server"


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=list(ENVIRONMENTS))
def test_no_secret_value_is_in_any_object(environment: Environment) -> None:
    found = render(values.load(environment), release=environment.release)
    for manifest in found.values():
        if manifest.kind == "Secret":
            assert not manifest.body.get("data")
            assert not manifest.body.get("stringData")


def test_the_five_tests_are_hooks() -> None:
    hooks = {key: manifest for key, manifest in render().items() if manifest.is_hook}
    assert set(hooks) == {f"Pod/demo-{name}-test" for name in TESTS}
    for manifest in hooks.values():
        assert manifest.annotations["helm.sh/hook"] == "test"
        policies = manifest.annotations["helm.sh/hook-delete-policy"].split(",")
        assert policies == ["before-hook-creation", "hook-succeeded"]
        compile(container(manifest)["args"][0], manifest.key, "exec")


# The first Kubernetes that has each API of its own that the chart uses.
SINCE = {
    "v1": 0,
    "apps/v1": 9,
    "networking.k8s.io/v1": 19,
    "policy/v1": 21,
    "rbac.authorization.k8s.io/v1": 8,
    "autoscaling/v2": 23,
}
OPERATORS = ("crunchydata.com/", "spotahome.com/", "hashicorp.com/", "coreos.com/")


def test_the_chart_asks_for_the_kubernetes_that_has_all_of_its_apis() -> None:
    every = {found.api_version for case in golden.CASES for found in _whole(case)}
    own = {name for name in every if not any(operator in name for operator in OPERATORS)}
    chart = values.read(project.chart_dir() / "Chart.yaml")
    assert chart["kubeVersion"] == f">=1.{max(SINCE[name] for name in own)}.0-0"
    assert own == SINCE.keys()


def _whole(case: str) -> list[Manifest]:
    return list(render(golden.settings(case)).values())


@pytest.mark.parametrize(
    ("kind", "annotation"),
    [("ClusterIssuer", "cert-manager.io/cluster-issuer"), ("Issuer", "cert-manager.io/issuer")],
)
def test_cert_manager_is_told_its_issuer_beside_other_annotations(
    kind: str, annotation: str
) -> None:
    host = {"host": "a.example.com", "paths": [{"path": "/", "service": "ui"}]}
    ingress = {
        "enabled": True,
        "hosts": [host],
        "tls": [{"secretName": "cert", "hosts": ["a.example.com"]}],
        "annotations": {"other": "kept"},
        "certManager": {"issuer": "letsencrypt", "kind": kind},
    }
    annotations = render({"ingress": ingress})["Ingress/demo"].annotations
    assert annotations == {"other": "kept", annotation: "letsencrypt"}


def test_numbers_stay_as_they_were_written() -> None:
    found = render({"config": {"extra": {"LIMIT": 5_000_000, "SHARE": 0.5, "ON": True}}})
    data = found["ConfigMap/demo-config"].body["data"]
    assert (data["LIMIT"], data["SHARE"], data["ON"]) == ("5000000", "0.5", "true")


def test_names_that_look_like_something_else_stay_texts() -> None:
    names = {"clusterName": "1e3", "users": [{"name": "0", "databases": ["1"]}]}
    secrets = {"redis": {"k8sSecretName": "123", "vaultPath": "1/data/2"}}
    values = {"pgoPostgresql": names, "vso": {"secrets": secrets, "serviceAccount": "007"}}
    found = render({**values, "nameOverride": "null"}, release="12")
    labels = found["Service/12-null-ui"].body["metadata"]["labels"]
    assert (labels["app.kubernetes.io/instance"], labels["app.kubernetes.io/name"]) == (
        "12",
        "null",
    )
    assert found["PostgresCluster/1e3"].body["spec"]["users"][0]["name"] == "0"
    assert found["VaultStaticSecret/12-null-redis"].body["spec"]["mount"] == "1"
    assert found["VaultAuth/12-null-vault"].body["spec"]["kubernetes"]["serviceAccount"] == "007"


def test_a_release_s_name_with_dots_makes_names_that_services_may_have() -> None:
    found = [manifest for manifest in render(release="a.b").values() if manifest.kind == "Service"]
    assert found
    assert all("." not in manifest.name for manifest in found)
    assert render(release="a-b").keys() != render(release="a.b").keys()


def test_annotations_of_the_values_leave_the_chart_s_own_as_they_are() -> None:
    given = {"checksum/config": "mine", "other": "kept"}
    found = render({"services": {"ui": {"podAnnotations": given}}})
    whole = found["Deployment/demo-ui"].body["spec"]["template"]["metadata"]["annotations"]
    assert whole["other"] == "kept"
    assert whole["checksum/config"] != "mine"


SCHEDULED = {"tolerations": [{"key": "data", "operator": "Exists"}], "priorityClassName": "data"}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_container_is_restarted_only_after_a_minute_without_an_answer(name: str) -> None:
    """A starved node answers late: readiness takes a pod out soon, a restart would not help it."""
    environment = ENVIRONMENTS[name]
    for manifest in render(values.load(environment), release=environment.release).values():
        if manifest.kind == "Deployment":
            liveness, readiness = (container(manifest)[f"{kind}Probe"] for kind in LIVE_AND_READY)
            assert liveness["failureThreshold"] * liveness["periodSeconds"] >= 60, manifest.key
            assert liveness["timeoutSeconds"] >= 10, manifest.key
            out_s = readiness["failureThreshold"] * readiness["periodSeconds"]
            assert out_s <= 30, manifest.key


def test_every_pod_of_postgres_is_scheduled_as_the_values_say() -> None:
    spec = render({"pgoPostgresql": SCHEDULED})["PostgresCluster/vrooli-pg"].body["spec"]
    backups = spec["backups"]["pgbackrest"]
    pods = [*spec["instances"], spec["proxy"]["pgBouncer"], backups["jobs"], backups["repoHost"]]
    assert [{key: pod.get(key) for key in SCHEDULED} for pod in pods] == [SCHEDULED] * 4


def test_redis_and_its_sentinels_are_scheduled_as_the_values_say() -> None:
    wanted = {**SCHEDULED, "nodeSelector": {"pool": "data"}}
    spec = render({"spotahomeRedis": wanted})["RedisFailover/vrooli-rf"].body["spec"]
    found = [{key: spec[part].get(key) for key in wanted} for part in ("redis", "sentinel")]
    assert found == [wanted] * 2


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_nginx_lets_a_whole_picture_pass_and_keeps_quiet_connections(name: str) -> None:
    environment = ENVIRONMENTS[name]
    found = render(values.load(environment), release=environment.release)
    said = found[f"Ingress/{environment.release}"].body["metadata"]["annotations"]
    nginx = {key.rpartition("/")[2]: value for key, value in said.items()}
    picture = Settings.model_fields["picture_max_bytes"].default
    assert int(nginx["proxy-body-size"].removesuffix("m")) * 1024**2 >= picture + OVERHEAD_BYTES
    assert min(int(nginx["proxy-read-timeout"]), int(nginx["proxy-send-timeout"])) >= 3600
