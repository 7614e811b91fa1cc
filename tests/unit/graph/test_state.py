"""The state of arrows: active, broken with a reason, or unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from support.fakes import graph_snapshots
from support.fakes.graph_snapshots import arrow, judged
from support.secrets.canaries import canaries, leaked
from vrooli.chart.manifest import Manifest
from vrooli.graph.live.proc_net import Socket
from vrooli.graph.live.snapshot import GraphSnapshot
from vrooli.graph.model import Diagram, State
from vrooli.redaction import Redactor


@pytest.fixture(scope="module")
def release() -> tuple[tuple[Manifest, ...], tuple[Diagram, ...]]:
    return graph_snapshots.drawn()


@pytest.fixture
def diagrams(release: tuple[tuple[Manifest, ...], tuple[Diagram, ...]]) -> tuple[Diagram, ...]:
    return release[1]


@pytest.fixture
def seen(release: tuple[tuple[Manifest, ...], tuple[Diagram, ...]]) -> GraphSnapshot:
    return graph_snapshots.healthy(*release)


def socket(local: tuple[str, int], remote: tuple[str, int], *, is_open: bool = True) -> Socket:
    return Socket(local, remote, is_open)


def test_no_arrow_of_a_healthy_release_is_broken_or_unknown(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    found = judged(diagrams, seen)
    assert {key: item for key, item in found.items() if item.state is State.BROKEN} == {}
    assert {key: item for key, item in found.items() if item.state is State.UNKNOWN} == {}
    assert arrow(found, "connectivity/Jobs/NSFW").state is State.IDLE
    assert arrow(found, "secrets/VaultSecret3/K8sSecret3").state is State.ACTIVE


def test_a_published_secret_depends_on_its_source_and_the_rotator(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    key = "secrets/VaultSecret4/K8sSecret4"
    way = next(
        item
        for diagram in diagrams
        for item in diagram.arrows
        if f"{diagram.name}/{'/'.join(item.key)}" == key
    )
    fields = [reason.field for reason in way.reasons]
    assert fields[0] == "spec.destination.name"
    assert [field.split()[-1] for field in fields[1:]] == ["REDIS_SOURCE", "REDIS_SECRET"]
    found = judged(diagrams, graph_snapshots.without(seen, "Secret", "vrooli-redis-creds-vault"))
    assert "Secret/vrooli-redis-creds-vault doesn't exist" in arrow(found, key).message
    found = judged(diagrams, graph_snapshots.without(seen, "Pod", "rotator-pod"))
    assert arrow(found, key).state is State.BROKEN
    assert "is not copied to Secret/vrooli-redis-creds" in arrow(found, key).message


def test_a_connection_of_the_source_to_the_service_of_the_target_is_traffic(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    ip = seen.find("Service", "vrooli-dev-nsfw-detector")["spec"]["clusterIPs"][0]  # type: ignore[index]
    busy = graph_snapshots.connected(seen, "jobs-pod", socket(("10.244.0.12", 40000), (ip, 8000)))
    found = arrow(judged(diagrams, busy), "connectivity/Jobs/NSFW")
    assert found.state is State.ACTIVE
    assert found.message == "1 connection open from jobs to nsfw-detector"


def test_a_connection_in_the_table_of_the_target_alone_is_traffic(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    mute = replace(
        seen,
        sockets={key: found for key, found in seen.sockets.items() if key[1] != "jobs-pod"},
        socket_errors={("dev", "jobs-pod"): "no permission to exec into the pods"},
    )
    source = seen.find("Pod", "jobs-pod")["status"]["podIPs"][0]["ip"]  # type: ignore[index]
    busy = graph_snapshots.connected(
        mute, "nsfw-detector-pod", socket(("10.244.0.11", 8000), (source, 40000), is_open=False)
    )
    found = arrow(judged(diagrams, busy), "connectivity/Jobs/NSFW")
    assert found.state is State.ACTIVE
    assert "closed within the last minute" in found.message


def test_a_probe_from_the_node_is_not_traffic(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    probed = graph_snapshots.connected(
        seen, "nsfw-detector-pod", socket(("10.244.0.11", 8000), ("10.244.0.1", 40000))
    )
    assert arrow(judged(diagrams, probed), "connectivity/Jobs/NSFW").state is State.IDLE


def test_an_ingress_controller_s_connection_is_traffic_from_outside(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    busy = graph_snapshots.connected(
        seen, "ui-pod", socket(("10.244.0.10", 3000), ("10.244.0.4", 40000))
    )
    found = judged(diagrams, busy)
    assert arrow(found, "architecture/Ingress/UI").state is State.ACTIVE
    assert arrow(found, "architecture/Internet/Ingress").state is State.ACTIVE
    assert arrow(found, "architecture/Ingress/Server").state is State.IDLE


def test_a_deployment_scaled_to_zero_breaks_its_arrows_with_a_reason(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    deployment = dict(seen.find("Deployment", "vrooli-dev-nsfw-detector") or {})
    deployment["spec"] = {**deployment["spec"], "replicas": 0}
    gone = graph_snapshots.without(
        graph_snapshots.with_(seen, "Deployment", deployment), "Pod", "nsfw-detector-pod"
    )
    found = judged(diagrams, gone)
    broken = {key for key, item in found.items() if item.state is State.BROKEN}
    assert broken == {
        ("architecture", "Jobs", "NSFW"),
        ("connectivity", "Jobs", "NSFW"),
        ("delivery", "Deployments", "HealthChecks"),
    }
    why = "Deployment/vrooli-dev-nsfw-detector is scaled to 0"
    assert arrow(found, "connectivity/Jobs/NSFW").message == why


def test_pods_that_are_not_ready_break_an_arrow_with_a_reason(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    pod = dict(seen.find("Pod", "server-pod") or {})
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off 10s"}
    pod["status"] = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [{"state": {"waiting": waiting}}],
    }
    found = judged(diagrams, graph_snapshots.with_(seen, "Pod", pod))
    told = arrow(found, "connectivity/UI/Server")
    assert told.state is State.BROKEN
    assert told.message == "no pod of server is ready: server-pod: CrashLoopBackOff: back-off 10s"


def test_a_service_without_ready_endpoints_breaks_an_arrow(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    empty = graph_snapshots.without(seen, "EndpointSlice", "vrooli-dev-server-x")
    told = arrow(judged(diagrams, empty), "architecture/Ingress/Server")
    assert told.state is State.BROKEN
    assert told.message == "Service/vrooli-dev-server has no ready endpoints"


def test_an_ingress_without_its_class_breaks_the_arrow_from_the_internet(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    without = graph_snapshots.without(seen, "IngressClass", "traefik", "")
    told = arrow(judged(diagrams, without), "architecture/Internet/Ingress")
    assert told.state is State.BROKEN
    assert "there is no IngressClass traefik" in told.message


def test_a_missing_secret_breaks_the_arrows_to_and_from_it(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    found = judged(diagrams, graph_snapshots.without(seen, "Secret", "vrooli-redis-creds"))
    for key in ("secrets/VaultSecret4/K8sSecret4", "secrets/K8sSecret4/ServerPod"):
        assert arrow(found, key).state is State.BROKEN
        assert "Secret/vrooli-redis-creds doesn't exist" in arrow(found, key).message
    assert arrow(found, "secrets/VaultSecret3/K8sSecret3").state is State.ACTIVE


def _event(kind: str, message: str, age_s: float) -> graph_snapshots.Body:
    time = datetime.now(UTC) - timedelta(seconds=age_s)
    return {
        "metadata": {"name": f"event-{kind}-{age_s}"},
        "type": kind,
        "message": message,
        "involvedObject": {"kind": "VaultStaticSecret", "name": "vrooli-dev-postgres"},
        "lastTimestamp": time.isoformat(),
    }


def test_a_secret_that_vault_refuses_is_broken_with_the_message_of_the_operator(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    said = "Failed to read Vault secret: password=hunter2secret 403 permission denied"
    warned = graph_snapshots.with_(seen, "Event", _event("Warning", said, 20))
    told = arrow(judged(diagrams, warned), "secrets/PostgresSecrets/VaultSecret3")
    assert told.state is State.BROKEN
    assert "permission denied" in told.message
    assert "hunter2secret" not in told.message


def test_a_resolved_warning_does_not_break_an_arrow(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    warned = graph_snapshots.with_(seen, "Event", _event("Warning", "403", 60))
    mended = graph_snapshots.with_(warned, "Event", _event("Normal", "Secret synced", 20))
    told = arrow(judged(diagrams, mended), "secrets/PostgresSecrets/VaultSecret3")
    assert told.state is State.ACTIVE


def test_kinds_without_read_permission_are_unknown_and_never_broken(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    kinds = {place for place in seen.places if place[1] == "dev"}
    for kind, namespace in kinds:
        seen = graph_snapshots.refused(seen, kind, namespace)
    found = judged(diagrams, seen)
    assert {key: item for key, item in found.items() if item.state is State.BROKEN} == {}
    told = arrow(found, "connectivity/Server/PGPrimary")
    assert told.state is State.UNKNOWN
    assert "no permission to list it" in told.message


def test_pods_without_exec_permission_leave_an_arrow_unknown_with_a_reason(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    mute = replace(
        seen,
        sockets={},
        socket_errors=dict.fromkeys(seen.sockets, "no permission to exec into the pods"),
    )
    told = arrow(judged(diagrams, mute), "connectivity/Server/PGPrimary")
    assert told.state is State.UNKNOWN
    assert "no permission to exec into the pods" in told.message


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {"name": "server-pod"}},
        {"metadata": {"name": "server-pod", "labels": None}, "spec": None, "status": None},
        {"metadata": {"name": "server-pod", "labels": ["x"]}, "status": {"conditions": "none"}},
        {"metadata": {"name": "server-pod"}, "status": {"podIPs": [None, 3], "conditions": [7]}},
    ],
)
def test_malformed_objects_are_treated_as_empty(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot, body: graph_snapshots.Body
) -> None:
    odd = seen
    for kind in ("Pod", "Service", "EndpointSlice", "Deployment", "Event", "VaultStaticSecret"):
        odd = graph_snapshots.with_(odd, kind, body)
    assert len(judged(diagrams, odd)) == len(judged(diagrams, seen))


def test_the_message_of_a_broken_arrow_is_redacted(
    diagrams: tuple[Diagram, ...], seen: GraphSnapshot
) -> None:
    planted = list(canaries(1))
    known = [item.secret + "/+" * ("url" in item.shape) for item in planted if item.known]
    message = "\n".join(item.text for item in planted)
    pod = dict(seen.find("Pod", "server-pod") or {})
    pod["status"] = {
        "phase": "Pending",
        "containerStatuses": [{"state": {"waiting": {"reason": "Error", "message": message}}}],
    }
    ill = graph_snapshots.with_(seen, "Pod", pod)
    told = arrow(judged(diagrams, ill, Redactor(known)), "connectivity/UI/Server")
    assert told.state is State.BROKEN
    assert "opened the session with (masked) for bob" in told.message
    assert leaked(planted, told.message) == []
