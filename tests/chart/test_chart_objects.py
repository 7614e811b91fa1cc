"""Properties of the chart's objects that hold for all values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.chart.rendering import render
from vrooli import project
from vrooli.chart import golden, values
from vrooli.chart.manifest import Manifest
from vrooli.environments import ENVIRONMENTS, Environment
from vrooli_shared.settings import BODY_OVERHEAD_BYTES, Settings

SHARED = "vrooli-config-shared-all"
PRIVATE = {"vrooli-secrets-shared-server-jobs", "vrooli-postgres-creds", "vrooli-redis-creds"}
PULL = "vrooli-dockerhub-pull-secret"
COMPONENTS = ("ui", "server", "jobs", "nsfw-detector", "adminer")
# The only one that speaks with Kubernetes.
ROTATOR = "rotator"
LIVE_AND_READY = ("liveness", "readiness")
TESTS = ("configmap-value", "nsfw-detector", "jobs", "server", "ui")


def pod(manifest: Manifest) -> dict[str, Any]:
    """The pod spec of a Deployment or a Pod."""
    spec: dict[str, Any] = manifest.body["spec"]
    return spec["template"]["spec"] if manifest.kind == "Deployment" else spec


def container(manifest: Manifest) -> dict[str, Any]:
    """The only container of a Deployment or a Pod."""
    (only,) = pod(manifest)["containers"]
    return dict(only)


def secrets_of(manifest: Manifest) -> set[str]:
    """The Secrets in envFrom of a pod's container."""
    sources = container(manifest).get("envFrom", [])
    return {item["secretRef"]["name"] for item in sources if "secretRef" in item}


def test_the_names_begin_with_the_release() -> None:
    objects = render(release="vrooli-dev")
    for name in COMPONENTS:
        assert f"Deployment/vrooli-dev-{name}" in objects
        assert f"Service/vrooli-dev-{name}" in objects
    assert "PostgresCluster/vrooli-pg" in objects
    assert "RedisFailover/vrooli-rf" in objects


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


def test_long_release_names_give_valid_unique_names() -> None:
    first, second = render(release="a" * 53), render(release="a" * 52 + "b")
    services = [key for key in first if key.startswith("Service/")]
    assert all(len(key.removeprefix("Service/")) <= 63 for key in services)
    assert not set(services) & {key for key in second if key.startswith("Service/")}


@pytest.mark.parametrize("name", [*COMPONENTS, ROTATOR, *(f"{name}-test" for name in TESTS)])
def test_each_pod_is_restricted(name: str) -> None:
    objects = render()
    manifest = objects.get(f"Deployment/demo-{name}") or objects[f"Pod/demo-{name}"]
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
    objects = render()
    account = objects[f"ServiceAccount/demo-{name}"]
    assert account.body["automountServiceAccountToken"] is False
    assert pod(objects[f"Deployment/demo-{name}"])["serviceAccountName"] == account.name


def test_the_ui_reads_only_the_shared_configuration() -> None:
    ui = render()["Deployment/demo-ui"]
    assert secrets_of(ui) == {SHARED}
    for secret in PRIVATE:
        assert secret not in json.dumps(dict(ui.body))


@pytest.mark.parametrize("name", ["server", "jobs"])
def test_server_and_jobs_read_all_four_secrets(name: str) -> None:
    assert secrets_of(render()[f"Deployment/demo-{name}"]) == {SHARED, *PRIVATE}


@pytest.mark.parametrize("name", ["nsfw-detector", "adminer"])
def test_other_components_read_no_secret(name: str) -> None:
    assert secrets_of(render()[f"Deployment/demo-{name}"]) == set()


def test_the_detector_has_tcp_probes_and_others_send_the_probe_header() -> None:
    objects = render()
    assert "tcpSocket" in container(objects["Deployment/demo-nsfw-detector"])["livenessProbe"]
    server = container(objects["Deployment/demo-server"])
    for probe in ("liveness", "readiness"):
        request = server[f"{probe}Probe"]["httpGet"]
        assert request["path"] == "/healthcheck"
        assert request["httpHeaders"] == [{"name": "X-Probe", "value": probe}]


def test_pods_restart_when_their_configuration_changes() -> None:
    def annotations(name: str, settings: dict[str, Any]) -> dict[str, str]:
        body = render(settings)[f"Deployment/demo-{name}"].body
        return dict(body["spec"]["template"]["metadata"]["annotations"])

    before: dict[str, Any] = {}
    after: dict[str, Any] = {"config": {"logLevel": "debug"}}
    assert annotations("ui", before) != annotations("ui", after)
    assert annotations("adminer", before) == annotations("adminer", after)
    other_database = {"pgoPostgresql": {"clusterName": "other"}}
    assert annotations("server", before) != annotations("server", other_database)
    assert annotations("ui", before) == annotations("ui", other_database)
    rolled = {"services": {"ui": {"podAnnotations": {"inputs": "abc"}}}}
    assert annotations("ui", rolled)["inputs"] == "abc"


def test_gpus_are_requested_only_if_enabled() -> None:
    def limits(settings: dict[str, Any]) -> dict[str, Any]:
        detector = container(render(settings)["Deployment/demo-nsfw-detector"])
        return dict(detector["resources"]["limits"])

    assert "nvidia.com/gpu" not in limits({})
    gpu = {"enabled": True, "type": "amd.com/gpu", "count": 2}
    assert limits({"services": {"nsfwDetector": {"gpu": gpu}}})["amd.com/gpu"] == 2


def test_a_rollout_requires_no_additional_gpu() -> None:
    def rolling(settings: dict[str, Any], name: str) -> Any:
        return render(settings)[f"Deployment/demo-{name}"].body["spec"]["strategy"]["rollingUpdate"]

    gpu = {"services": {"nsfwDetector": {"gpu": {"enabled": True}}}}
    assert rolling(gpu, "nsfw-detector") == {"maxSurge": 0, "maxUnavailable": 1}
    assert rolling(gpu, "server") == {"maxSurge": 1, "maxUnavailable": 0}
    assert rolling({}, "nsfw-detector") == {"maxSurge": 1, "maxUnavailable": 0}


def test_a_disabled_service_has_no_objects() -> None:
    objects = render({"services": {"nsfwDetector": {"enabled": False}}})
    assert [key for key in objects if "nsfw" in key] == []
    assert "NSFW_DETECTOR_URL" not in objects["ConfigMap/demo-connections"].body["data"]


def test_an_autoscaled_deployment_has_no_replicas_field() -> None:
    objects = render({"services": {"server": {"autoscaling": {"enabled": True}}}})
    assert "replicas" not in objects["Deployment/demo-server"].body["spec"]
    target = objects["HorizontalPodAutoscaler/demo-server"].body["spec"]["scaleTargetRef"]
    assert target["name"] == "demo-server"


@pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=list(ENVIRONMENTS))
def test_no_secret_value_is_in_any_object(environment: Environment) -> None:
    objects = render(values.load(environment), release=environment.release)
    for manifest in objects.values():
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
    "batch/v1": 8,
}
# The APIs of definitions that others install.
OPERATORS = (
    *("crunchydata.com/", "spotahome.com/", "hashicorp.com/", "coreos.com/"),
    *("gateway.networking.k8s.io/", "keda.sh/"),
)


def test_kube_version_has_all_apis_of_the_chart() -> None:
    every = {manifest.api_version for case in golden.CASES for manifest in _whole(case)}
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
def test_the_issuer_annotation_is_added_to_other_annotations(kind: str, annotation: str) -> None:
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


def test_numbers_are_not_reformatted() -> None:
    objects = render({"config": {"extra": {"LIMIT": 5_000_000, "SHARE": 0.5, "ON": True}}})
    data = objects["ConfigMap/demo-config"].body["data"]
    assert (data["LIMIT"], data["SHARE"], data["ON"]) == ("5000000", "0.5", "true")


def test_names_that_resemble_other_types_remain_strings() -> None:
    names = {"clusterName": "1e3", "users": [{"name": "0", "databases": ["1"]}]}
    secrets = {"redis": {"k8sSecretName": "123", "vaultPath": "1/data/2"}}
    values = {"pgoPostgresql": names, "vso": {"secrets": secrets, "serviceAccount": "007"}}
    objects = render({**values, "nameOverride": "null"}, release="12")
    labels = objects["Service/12-null-ui"].body["metadata"]["labels"]
    assert (labels["app.kubernetes.io/instance"], labels["app.kubernetes.io/name"]) == (
        "12",
        "null",
    )
    assert objects["PostgresCluster/1e3"].body["spec"]["users"][0]["name"] == "0"
    assert objects["VaultStaticSecret/12-null-redis"].body["spec"]["mount"] == "1"
    assert objects["VaultAuth/12-null-vault"].body["spec"]["kubernetes"]["serviceAccount"] == "007"


def test_a_release_name_with_dots_gives_valid_service_names() -> None:
    services = [
        manifest for manifest in render(release="a.b").values() if manifest.kind == "Service"
    ]
    assert services
    assert all("." not in manifest.name for manifest in services)
    assert render(release="a-b").keys() != render(release="a.b").keys()


def test_pod_annotations_do_not_override_the_charts() -> None:
    custom = {"checksum/config": "mine", "other": "kept"}
    objects = render({"services": {"ui": {"podAnnotations": custom}}})
    whole = objects["Deployment/demo-ui"].body["spec"]["template"]["metadata"]["annotations"]
    assert whole["other"] == "kept"
    assert whole["checksum/config"] != "mine"


SCHEDULED = {"tolerations": [{"key": "data", "operator": "Exists"}], "priorityClassName": "data"}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_liveness_fails_only_after_a_minute(name: str) -> None:
    """On an overloaded node, readiness fails soon, but a restart would not help."""
    environment = ENVIRONMENTS[name]
    for manifest in render(values.load(environment), release=environment.release).values():
        if manifest.kind == "Deployment":
            liveness, readiness = (container(manifest)[f"{kind}Probe"] for kind in LIVE_AND_READY)
            assert liveness["failureThreshold"] * liveness["periodSeconds"] >= 60, manifest.key
            assert liveness["timeoutSeconds"] >= 10, manifest.key
            out_s = readiness["failureThreshold"] * readiness["periodSeconds"]
            assert out_s <= 30, manifest.key


def test_scheduling_values_apply_to_all_postgres_pods() -> None:
    spec = render({"pgoPostgresql": SCHEDULED})["PostgresCluster/vrooli-pg"].body["spec"]
    backups = spec["backups"]["pgbackrest"]
    pods = [*spec["instances"], spec["proxy"]["pgBouncer"], backups["jobs"], backups["repoHost"]]
    assert [{key: pod.get(key) for key in SCHEDULED} for pod in pods] == [SCHEDULED] * 4


def test_scheduling_values_apply_to_redis_and_sentinel() -> None:
    expected = {**SCHEDULED, "nodeSelector": {"pool": "data"}}
    spec = render({"spotahomeRedis": expected})["RedisFailover/vrooli-rf"].body["spec"]
    scheduling = [{key: spec[part].get(key) for key in expected} for part in ("redis", "sentinel")]
    assert scheduling == [expected] * 2


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_nginx_allows_full_pictures_and_idle_connections(name: str) -> None:
    environment = ENVIRONMENTS[name]
    objects = render(values.load(environment), release=environment.release)
    annotations = objects[f"Ingress/{environment.release}"].body["metadata"]["annotations"]
    nginx = {key.rpartition("/")[2]: value for key, value in annotations.items()}
    picture = Settings.model_fields["picture_max_bytes"].default
    assert (
        int(nginx["proxy-body-size"].removesuffix("m")) * 1024**2 >= picture + BODY_OVERHEAD_BYTES
    )
    assert min(int(nginx["proxy-read-timeout"]), int(nginx["proxy-send-timeout"])) >= 3600
