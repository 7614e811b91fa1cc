"""One line for each object of a release, in words for people."""

from __future__ import annotations

from typing import Any

import pytest

from support.secrets.canaries import canaries, leaked
from vrooli.chart import manifest
from vrooli.events import ObjectState
from vrooli.kube.snapshot import Snapshot
from vrooli.redaction import Redactor
from vrooli.release.rollout.progress import LONGEST, ResourceProgress, lines

PGO = "postgres-operator.crunchydata.com"
RF = "redisfailovers.databases.spotahome.com/name"


def line(
    body: dict[str, Any], *others: dict[str, Any], failed: tuple[str, ...] = ()
) -> ResourceProgress:
    """The line of an object that is there, beside others."""
    (found,) = lines([manifest.from_body(body, "here")], Snapshot.of((body, *others)), failed)
    return found


def deployment(ready: int) -> dict[str, Any]:
    status = {"updatedReplicas": 1, "replicas": 1, "availableReplicas": ready}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "server"},
        "spec": {"replicas": 1},
        "status": {**status, "readyReplicas": ready},
    }


def pod(name: str = "server-2-x", labels: dict[str, str] | None = None, **status: Any) -> Any:
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": labels or {"pod-template-hash": "2"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "server-2"}],
        },
        "status": status,
    }


READY = [{"type": "Ready", "status": "True"}]


def test_a_ready_deployment_reports_how_many_pods_it_has() -> None:
    assert line(deployment(1)) == ResourceProgress(
        "Deployment/server", ObjectState.READY, "1 of 1 pods are ready"
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            {"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]},
            "server-2-x is starting",
        ),
        (
            {
                "initContainerStatuses": [{"state": {"terminated": {"exitCode": 0}}}],
                "containerStatuses": [
                    {"state": {"waiting": {"reason": "ContainerCreating"}}},
                    {"state": {"waiting": {"reason": "CreateContainerError"}}},
                    {"state": {"waiting": {"reason": "ContainerCreating"}}},
                ],
            },
            "server-2-x is starting (2 containers), CreateContainerError",
        ),
        (
            {
                "containerStatuses": [
                    {"state": {"waiting": {"reason": "ErrImagePull", "message": "x: not found"}}}
                ]
            },
            "server-2-x can't pull its image: x: not found",
        ),
        (
            {
                "containerStatuses": [
                    {
                        "restartCount": 1,
                        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                        "lastState": {"terminated": {"exitCode": 3}},
                    }
                ]
            },
            "server-2-x ended 2 times, last with status 3",
        ),
        (
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "message": "Insufficient cpu"}
                ]
            },
            "server-2-x waits for a node: Insufficient cpu",
        ),
        ({"phase": "Running"}, "server-2-x runs, isn't ready yet"),
    ],
)
def test_a_deployment_that_is_not_ready_reports_why_pod_by_pod(
    status: dict[str, Any], said: str
) -> None:
    found = line(deployment(0), pod(**status))
    assert found.state is ObjectState.WAITING
    assert found.detail == f"0 of 1 pods are available; {said}"


def test_what_a_probe_reported_last_is_reported() -> None:
    events = [
        {
            "kind": "Event",
            "metadata": {"name": f"e{number}"},
            "reason": "Unhealthy",
            "involvedObject": {"name": "server-2-x"},
            "lastTimestamp": f"2026-01-01T00:00:0{number}Z",
            "message": f"Readiness probe failed: {number}",
        }
        for number in (1, 3, 2)
    ]
    found = line(deployment(0), pod(phase="Running"), *events)
    assert found.detail.endswith("isn't ready yet: Readiness probe failed: 3")


def test_an_object_whose_pod_cannot_become_ready_has_failed() -> None:
    found = line(deployment(0), pod(phase="Running"), failed=("server-2-x",))
    assert found.state is ObjectState.FAILED


def test_a_postgres_cluster_shows_its_leader_replicas_pool_and_backups() -> None:
    labels = {f"{PGO}/cluster": "pg"}
    body = {
        "apiVersion": f"{PGO}/v1beta1",
        "kind": "PostgresCluster",
        "metadata": {"name": "pg"},
        "spec": {"instances": [{"replicas": 2}], "proxy": {"pgBouncer": {"replicas": 1}}},
        "status": {
            "instances": [{"readyReplicas": 2}],
            "databaseRevision": "a",
            "usersRevision": "b",
            "proxy": {"pgBouncer": {"readyReplicas": 1}},
            "pgbackrest": {"repos": [{"name": "repo1", "stanzaCreated": True}]},
        },
    }
    found = line(
        body,
        pod("pg-0", {**labels, f"{PGO}/role": "master"}, conditions=READY),
        pod("pg-1", {**labels, f"{PGO}/role": "replica"}, conditions=READY),
    )
    assert found == ResourceProgress(
        "PostgresCluster/pg",
        ObjectState.READY,
        "2 of 2 instances are ready, leader pg-0, 1 of 1 replicas, 1 of 1 pgBouncer, "
        "repo1 has no backup yet",
    )


def test_a_redis_failover_shows_its_master_and_quorum() -> None:
    component = "app.kubernetes.io/component"
    body = {
        "apiVersion": "databases.spotahome.com/v1",
        "kind": "RedisFailover",
        "metadata": {"name": "rf"},
        "spec": {"redis": {"replicas": 1}, "sentinel": {"replicas": 3}},
    }
    master = {RF: "rf", component: "redis", "redisfailovers-role": "master"}
    sentinel = {RF: "rf", component: "sentinel"}
    found = line(
        body,
        pod("rfr-0", master, conditions=READY),
        pod("rfs-0", sentinel, conditions=READY),
    )
    assert found.state is ObjectState.WAITING
    assert found.detail == (
        "1 of 3 Sentinel pods are ready; 1 of 1 Redis, 1 of 3 Sentinels, master rfr-0, "
        "quorum of 2 is missing"
    )


def hook(**status: Any) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "migrate", "annotations": {"helm.sh/hook": "pre-upgrade"}},
        "spec": {},
        "status": status,
    }


def test_hooks_have_a_line_and_tests_have_none() -> None:
    done = hook(conditions=[{"type": "Complete", "status": "True"}])
    assert line(done) == ResourceProgress(
        "Job/migrate", ObjectState.READY, "pre-upgrade hook: done"
    )
    running = hook(active=1)
    assert line(running).state is ObjectState.WAITING
    failed = hook(conditions=[{"type": "Failed", "status": "True"}])
    assert line(failed).state is ObjectState.FAILED
    test = hook()
    test["metadata"]["annotations"] = {"helm.sh/hook": "test"}
    assert lines([manifest.from_body(test, "here")], Snapshot()) == []


def test_an_ingress_shows_its_hosts_and_address() -> None:
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web"},
        "spec": {"rules": [{"host": "vrooli.com"}, {}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
    }
    assert line(body).detail == "vrooli.com, any host at 192.0.2.1"


@pytest.mark.parametrize("length", range(LONGEST - 60, LONGEST, 3))
def test_what_a_pod_reports_is_masked_before_it_is_truncated(length: int) -> None:
    planted = [item for item in canaries(1) if "two lines" not in item.shape]
    redactor = Redactor([item.secret + "/+" * ("url" in item.shape) for item in planted])
    for item in planted:
        message = f"{'x' * length} {item.text}"
        waits = {"state": {"waiting": {"reason": "RunContainerError", "message": message}}}
        ill = pod(containerStatuses=[waits])
        desired = [manifest.from_body(deployment(0), "here")]
        (found,) = lines(desired, Snapshot.of((ill, deployment(0))), (), redactor)
        assert "RunContainerError" in found.detail
        assert leaked([item], found.detail) == []


def test_a_line_counts_the_ends_since_a_deploy_began() -> None:
    def detail(restarts: int, waits: str) -> str:
        status = {
            "name": "main",
            "restartCount": restarts,
            "state": {"waiting": {"reason": waits}} if waits else {"running": {}},
            "lastState": {"terminated": {"exitCode": 3}},
        }
        body = pod(phase="Running", containerStatuses=[status])
        objects = Snapshot.of((body, deployment(0)))
        earlier = {("", "main"): 4}
        (found,) = lines([manifest.from_body(deployment(0), "here")], objects, earlier_ends=earlier)
        return found.detail

    assert "server-2-x runs, isn't ready yet" in detail(4, "")
    assert "server-2-x ended once, last with status 3" in detail(4, "CrashLoopBackOff")
    assert "server-2-x runs again after 2 ends, last with status 3" in detail(6, "")
