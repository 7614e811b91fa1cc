"""Which pods waiting won't mend, and which it may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vrooli.chart import manifest
from vrooli.chart.manifest import Manifest
from vrooli.kube.snapshot import Snapshot
from vrooli.release.rollout.context import (
    BACK_OFF_S,
    EPOCH,
    VERSION_GRACE_S,
    RolloutContext,
    is_settled,
)
from vrooli.release.rollout.failures import (
    FAILING_BEFORE_S,
    PULL_S,
    PodFailure,
    earlier_ends,
    find_failures,
)

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
# What Docker Hub says of a private image, and of one that isn't there.
DENIED = (
    "pull access denied, repository does not exist or may require authorization: "
    "server message: insufficient_scope: authorization failed"
)


def pod(
    name: str = "server-1", *, version: str = "1", age_s: int = 60, **status: Any
) -> dict[str, Any]:
    """A pod of a Deployment's version."""
    created = (NOW - timedelta(seconds=age_s)).isoformat()
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            "creationTimestamp": created,
            "labels": {"pod-template-hash": version},
            "ownerReferences": [{"kind": "ReplicaSet", "name": f"server-{version}"}],
        },
        "status": status,
    }


def waiting(reason: str, restarts: int = 0) -> dict[str, Any]:
    """A container's status."""
    return {
        "name": "server",
        "restartCount": restarts,
        "state": {"waiting": {"reason": reason, "message": "no such image"}},
        "lastState": {"terminated": {"exitCode": 3}},
    }


def unscheduled(since_s: int) -> list[dict[str, Any]]:
    """A pod's conditions when no node takes it."""
    return [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "Insufficient cpu",
            "lastTransitionTime": (NOW - timedelta(seconds=since_s)).isoformat(),
        }
    ]


@pytest.mark.parametrize("part", ["containerStatuses", "initContainerStatuses"])
def test_an_image_that_cannot_be_pulled_is_final(part: str) -> None:
    status: dict[str, Any] = {part: [waiting("ImagePullBackOff")]}
    (result,) = find_failures([pod(**status)], NOW)
    assert str(result) == "server-1/server: ImagePullBackOff (no such image)"


@pytest.mark.parametrize(
    "status",
    [
        {"containerStatuses": [waiting("ContainerCreating")]},
        {"containerStatuses": [waiting("CrashLoopBackOff", restarts=1)]},
        {"conditions": unscheduled(since_s=5)},
        {},
    ],
)
def test_what_may_still_become_better_is_not_final(status: dict[str, Any]) -> None:
    assert find_failures([pod(**status)], NOW) == []


def test_the_third_crash_is_final_and_reports_how_it_ended() -> None:
    (result,) = find_failures(
        [pod(containerStatuses=[waiting("CrashLoopBackOff", restarts=2)])], NOW
    )
    assert result.crashed
    assert result.message == "ended 3 times, last with status 3"


def test_a_pod_that_no_node_takes_for_long_is_final() -> None:
    (result,) = find_failures([pod(conditions=unscheduled(since_s=61))], NOW)
    assert str(result) == "server-1: Unschedulable (Insufficient cpu)"


def test_the_version_that_is_being_replaced_does_not_count() -> None:
    old = pod("old", version="1", containerStatuses=[waiting("ImagePullBackOff")])
    new = pod("new", version="2", age_s=1)
    assert find_failures([old, new], NOW) == []
    assert len(find_failures([old], NOW)) == 1


def test_a_pod_that_disappears_does_not_count() -> None:
    deleting = pod(containerStatuses=[waiting("ImagePullBackOff")])
    deleting["metadata"]["deletionTimestamp"] = NOW.isoformat()
    assert find_failures([deleting], NOW) == []


DEPLOYMENT = manifest.from_body(
    {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "server"}, "spec": {}},
    "here",
)
READY = [{"type": "Ready", "status": "True"}]


def hook(kind: str = "Job", **spec: Any) -> Manifest:
    """A hook that runs before an upgrade."""
    body = {
        "apiVersion": "batch/v1" if kind == "Job" else "v1",
        "kind": kind,
        "metadata": {"name": "migrate", "annotations": {"helm.sh/hook": "pre-upgrade"}},
        "spec": spec,
    }
    return manifest.from_body(body, "here")


def hook_pod(name: str = "migrate-1", age_s: int = 1, **status: Any) -> dict[str, Any]:
    """A pod of that hook's Job."""
    result = pod(name, age_s=age_s, **status)
    result["metadata"]["labels"] = {"batch.kubernetes.io/job-name": "migrate"}
    result["metadata"]["ownerReferences"] = [{"kind": "Job", "name": "migrate"}]
    return result


def replica_set(version: str, revision: str) -> dict[str, Any]:
    """A version of the server's Deployment."""
    return {
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"server-{version}",
            "labels": {"pod-template-hash": version},
            "annotations": {"deployment.kubernetes.io/revision": revision},
        },
    }


def deployment(*, observed: int = 2) -> dict[str, Any]:
    """The server's Deployment, at its second version."""
    return {
        "kind": "Deployment",
        "metadata": {
            "name": "server",
            "generation": 2,
            "annotations": {"deployment.kubernetes.io/revision": "2"},
        },
        "status": {"observedGeneration": observed},
    }


def seen(*bodies: dict[str, Any]) -> Snapshot:
    """A namespace with these objects."""
    return Snapshot.of(bodies)


def judged(
    *bodies: dict[str, Any],
    manifests: tuple[Manifest, ...] = (DEPLOYMENT,),
    settled: datetime | None = EPOCH,
    began: datetime = EPOCH,
) -> list[PodFailure]:
    """The troubles of a namespace with these objects."""
    result = seen(*bodies)
    return find_failures(result.pods(), NOW, RolloutContext(manifests, result, settled, began))


def crashed(times: int, *, code: int = 1, started_s: int = 1) -> dict[str, Any]:
    """A container that waits for its next start."""
    started = (NOW - timedelta(seconds=started_s)).isoformat()
    result = waiting("CrashLoopBackOff", restarts=times - 1)
    result["lastState"]["terminated"] = {"exitCode": code, "startedAt": started, "reason": "Error"}
    return result


def pulling(reason: str, message: str) -> dict[str, Any]:
    """A container whose image doesn't come."""
    state = {"waiting": {"reason": reason, "message": message}}
    return {"name": "server", "restartCount": 0, "state": state}


def autoscaler(reason: str, age_s: int, source: str = "cluster-autoscaler") -> dict[str, Any]:
    """What an autoscaler says of the server's pod."""
    written = (NOW - timedelta(seconds=age_s)).isoformat()
    return {
        "kind": "Event",
        "metadata": {"name": f"{reason}-{age_s}"},
        "involvedObject": {"kind": "Pod", "name": "server-1"},
        "source": {"component": source},
        "reason": reason,
        "lastTimestamp": written,
    }


@pytest.mark.parametrize(
    ("events", "is_hopeless"),
    [
        ([], True),
        ([autoscaler("TriggeredScaleUp", 30)], False),
        ([autoscaler("Nominated", 30, "karpenter")], False),
        ([autoscaler("TriggeredScaleUp", 30, "somebody-else")], True),
        ([autoscaler("NotTriggerScaleUp", 30)], True),
        ([autoscaler("TriggeredScaleUp", 60), autoscaler("NotTriggerScaleUp", 30)], True),
        ([autoscaler("NotTriggerScaleUp", 60), autoscaler("TriggeredScaleUp", 30)], False),
        ([autoscaler("TriggeredScaleUp", 16 * 60)], True),
    ],
)
def test_a_pod_that_a_node_is_being_made_for_has_hope(
    events: list[dict[str, Any]], is_hopeless: bool
) -> None:
    waits = pod(age_s=1000, conditions=unscheduled(since_s=900))
    replica = replica_set("1", "2")
    assert bool(judged(deployment(), replica, waits, *events)) is is_hopeless


def test_the_reason_of_an_autoscaler_that_adds_no_node_is_part_of_the_failure() -> None:
    reason = "pod didn't trigger scale-up: 1 max node group size reached"
    refused = {**autoscaler("NotTriggerScaleUp", 30), "message": reason}
    waits = pod(age_s=1000, conditions=unscheduled(since_s=900))
    (result,) = judged(deployment(), replica_set("1", "2"), waits, refused)
    assert result.message.endswith(f"; cluster-autoscaler adds no node: {reason}")
    ordered = autoscaler("TriggeredScaleUp", 10)
    assert judged(deployment(), replica_set("1", "2"), waits, refused, ordered) == []


def running(restarts: int) -> dict[str, Any]:
    """A container that runs, after some ends."""
    return {"name": "server", "restartCount": restarts, "state": {"running": {}}}


def test_ends_from_before_the_deploy_do_not_count() -> None:
    """A pod that restarted twice last week and crashes once now has ended once."""
    began = NOW - timedelta(seconds=30)
    old = pod(version="2", age_s=6000, containerStatuses=[running(2)])
    earlier = earlier_ends([old], began, ())
    for ends, is_hopeless in ((3, False), (4, False), (5, True)):
        now = pod(version="2", age_s=6000, containerStatuses=[crashed(ends)])
        result = seen(*VERSIONS, now)
        context_ = RolloutContext((DEPLOYMENT,), result, EPOCH, began, earlier)
        assert bool(find_failures([now], NOW, context_)) is is_hopeless, ends


def test_a_pod_that_was_failing_already_is_given_time_for_its_next_start() -> None:
    began = NOW - timedelta(seconds=30)
    failing = pod(version="2", age_s=6000, containerStatuses=[crashed(7, started_s=200)])
    assert earlier_ends([failing], began, ()) == {}
    (result,) = judged(*VERSIONS, failing, began=began)
    assert result.grace_period_s == FAILING_BEFORE_S > BACK_OFF_S, "the deploy may have mended it"


def test_of_a_pod_that_was_failing_already_ends_count_from_its_first_start_on() -> None:
    """Its run may be so short that it is never seen to run."""
    began = NOW - timedelta(seconds=30)
    failing = pod(version="2", age_s=6000, containerStatuses=[crashed(7, started_s=10)])
    earlier = earlier_ends([failing], began, ())
    assert earlier == {("", "server"): 6}
    for ends, is_hopeless in ((7, False), (8, False), (9, True)):
        now = pod(version="2", age_s=6000, containerStatuses=[crashed(ends)])
        context_ = RolloutContext((DEPLOYMENT,), seen(*VERSIONS, now), EPOCH, began, earlier)
        result = find_failures([now], NOW, context_)
        assert bool(result) is is_hopeless, ends
        assert all(item.grace_period_s == 0 for item in result)


def test_a_pod_that_fails_long_after_the_deploy_has_had_its_tries() -> None:
    """As `status --watch` meets it: nobody has counted since the deploy."""
    began = NOW - timedelta(seconds=5000)
    failing = pod(version="2", age_s=6000, containerStatuses=[crashed(7, started_s=100)])
    assert earlier_ends([failing], began, ()) == {}
    (result,) = judged(*VERSIONS, failing, began=began)
    assert result.grace_period_s == 0


@pytest.mark.parametrize("reason", ["StartError", "ContainerCannotRun"])
def test_a_container_that_could_not_be_started_is_reported_with_the_reason(reason: str) -> None:
    """It has no log; the runtime gives it the start of the Unix epoch."""
    failing = crashed(3)
    failing["lastState"]["terminated"] = {
        "exitCode": 128,
        "reason": reason,
        "message": 'exec: "/serve":\n no such file or directory',
        "startedAt": "1970-01-01T00:00:00Z",
        "finishedAt": (NOW - timedelta(seconds=5)).isoformat(),
    }
    new = pod(version="2", containerStatuses=[failing])
    (result,) = judged(*VERSIONS, new, settled=NOW - timedelta(seconds=10))
    assert result.message == (
        "ended 3 times, last with status 128, could not be started: "
        'exec: "/serve": no such file or directory'
    )
    assert not result.crashed, "there is no log to ask for"


def test_ends_of_a_pod_of_the_deploy_itself_count() -> None:
    began = NOW - timedelta(seconds=30)
    assert earlier_ends([pod(age_s=10, containerStatuses=[running(2)])], began, ()) == {}
    old = pod(age_s=60, containerStatuses=[running(2)])
    assert earlier_ends([old], began, ()) == {("", "server"): 2}
    assert earlier_ends([old], began, {("", "server")}) == {}, "what was seen first stays"


VERSIONS = (deployment(), replica_set("1", "1"), replica_set("2", "2"))


@pytest.mark.parametrize(
    "message",
    [
        'rpc error: code = NotFound desc = failed to pull image "x:9": x:9: not found',
        "reading manifest 9 in registry/x: manifest unknown",
        'Back-off pulling image "x:9": ErrImagePull: failed to resolve: x:9: not found',
    ],
)
def test_an_image_that_is_nowhere_is_believed_at_once(message: str) -> None:
    new = pod(version="2", containerStatuses=[pulling("ErrImagePull", message)])
    (result,) = judged(*VERSIONS, new)
    assert result.grace_period_s == 0


@pytest.mark.parametrize(
    "message",
    [
        "i/o timeout",
        "connection refused",
        "503 Service Unavailable",
        "unauthorized",
        "dial tcp: lookup registry.invalid: no such host",
        DENIED,
    ],
)
def test_a_registry_that_may_answer_later_is_given_time(message: str) -> None:
    new = pod(version="2", containerStatuses=[pulling("ErrImagePull", message)])
    (result,) = judged(*VERSIONS, new)
    assert result.grace_period_s == PULL_S


RATE_LIMITED = "toomanyrequests: You have reached your pull rate limit."


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (RATE_LIMITED, ""),
        ("unexpected status from HEAD request: 429 Too Many Requests", ""),
        ("failed to copy: httpReadSeeker: failed open: unexpected status code 429", ""),
        ('Back-off pulling image "registry/x:9"', f"registry/x:9: {RATE_LIMITED}"),
    ],
)
def test_a_rate_limit_ends_by_itself_and_is_waited_for(message: str, event: str) -> None:
    container = {**pulling("ImagePullBackOff", message), "image": "registry/x:9"}
    new = pod(version="2", age_s=300, containerStatuses=[container])
    new["metadata"].setdefault("namespace", "here")
    failed = {
        "kind": "Event",
        "metadata": {"name": "failed", "namespace": "here"},
        "involvedObject": {
            "kind": "Pod",
            "name": new["metadata"]["name"],
            "namespace": new["metadata"]["namespace"],
        },
        "reason": "Failed",
        "message": event,
    }
    assert judged(*VERSIONS, new, *([failed] if event else [])) == []


def test_a_refused_image_waits_for_its_credential_and_the_next_pull() -> None:
    """Vault's operator makes the Secret some seconds after Helm's objects, or minutes."""
    secret = Manifest(
        "v1", "VaultStaticSecret", "pull", "here", "", {"spec": {"destination": {"name": "hub"}}}
    )
    manifests = (DEPLOYMENT, secret)
    new = pod(version="2", age_s=60, containerStatuses=[pulling("ErrImagePull", DENIED)])
    new["spec"] = {"imagePullSecrets": [{"name": "hub"}]}
    empty = {**secret.body, "kind": "VaultStaticSecret", "metadata": {"name": "pull"}}
    assert judged(*VERSIONS, new, manifests=manifests) == []
    assert judged(*VERSIONS, new, empty, manifests=manifests) == []
    filled = seen(*VERSIONS, new, {**empty, "status": {"secretMAC": "x"}})
    for late_s, grace_period_s in ((-1, PULL_S), (5, PULL_S), (40, 60), (2000, BACK_OFF_S + 10)):
        came = NOW - timedelta(seconds=60) + timedelta(seconds=late_s)
        context_ = RolloutContext(manifests, filled, filled={"hub": came})
        (result,) = find_failures([new], NOW, context_)
        assert result.grace_period_s == grace_period_s, late_s
    (result,) = find_failures([new], NOW, RolloutContext(manifests, filled))
    assert result.grace_period_s == PULL_S, "it was there from the first look on"


def test_an_image_is_named_whatever_its_registry_said() -> None:
    silent = pulling("ErrImagePull", "not found: unexpected media type text/html")
    new = pod(version="2", containerStatuses=[{**silent, "image": "registry/x:9"}])
    (result,) = judged(*VERSIONS, new)
    assert result.message == "registry/x:9: not found: unexpected media type text/html"


@pytest.mark.parametrize(
    "message",
    [
        'failed to unpack image "x:9": no match for platform in manifest: not found',
        "no matching manifest for linux/arm64/v8 in the manifest list entries",
        "choosing image instance: no image found in manifest list for architecture arm64",
    ],
)
def test_an_image_of_another_architecture_is_believed_at_once_and_named(message: str) -> None:
    new = pod(version="2", containerStatuses=[pulling("ErrImagePull", message)])
    (result,) = judged(*VERSIONS, new)
    assert result.grace_period_s == 0
    assert result.message.endswith("it isn't made for the architecture of the node")


def test_without_a_replica_set_to_show_a_sure_sign_must_last() -> None:
    new = pod(version="2", containerStatuses=[pulling("ErrImagePull", "not found")])
    assert [item.grace_period_s for item in judged(new)] == [VERSION_GRACE_S]


def test_pods_of_the_version_before_do_not_count_before_the_new_ones_are_there() -> None:
    old = pod(version="1", containerStatuses=[pulling("ErrImagePull", "not found")])
    assert judged(*VERSIONS, old) == []


def test_no_pod_shows_of_a_change_that_no_controller_has_seen() -> None:
    sets = (replica_set("1", "1"), replica_set("2", "2"))
    bad = pod(version="2", containerStatuses=[crashed(4)])
    assert judged(deployment(observed=2), *sets, bad)
    assert judged(deployment(observed=1), *sets, bad) == []


def test_two_crashes_beside_the_ready_version_before_are_final() -> None:
    old = pod("old", version="1", conditions=READY)
    new = pod("new", version="2", containerStatuses=[crashed(2)])
    (result,) = judged(*VERSIONS, old, new)
    assert result.crashed
    assert result.grace_period_s == 0
    assert judged(*VERSIONS, old, pod("new", version="2", containerStatuses=[crashed(1)])) == []


@pytest.mark.parametrize("code", [137, 143])
def test_two_kills_are_not_final_a_slow_start_may_be_killed(code: int) -> None:
    old = pod("old", version="1", conditions=READY)
    new = pod("new", version="2", containerStatuses=[crashed(2, code=code)])
    assert judged(*VERSIONS, old, new) == []


def test_two_crashes_without_a_version_before_are_not_final_yet() -> None:
    new = pod("new", version="2", containerStatuses=[crashed(2)])
    assert judged(*VERSIONS, new) == []
    assert len(judged(*VERSIONS, pod("new", version="2", containerStatuses=[crashed(3)]))) == 1


@pytest.mark.parametrize("settled_s", [None, 1])
def test_crashes_while_the_databases_were_on_their_way_do_not_count(
    settled_s: int | None,
) -> None:
    settled = None if settled_s is None else NOW - timedelta(seconds=settled_s)
    early = pod(version="2", containerStatuses=[crashed(4, started_s=10)])
    assert judged(*VERSIONS, early, settled=settled) == []
    many = pod(version="2", containerStatuses=[crashed(6, started_s=10)])
    assert len(judged(*VERSIONS, many, settled=settled)) == 1


def test_a_crash_after_the_databases_came_counts() -> None:
    late = pod(version="2", containerStatuses=[crashed(3, started_s=1)])
    assert len(judged(*VERSIONS, late, settled=NOW - timedelta(seconds=5))) == 1


def test_a_databases_own_pod_waits_for_nobody() -> None:
    own = pod("pg-0", containerStatuses=[crashed(3)])
    own["metadata"]["labels"] = {"postgres-operator.crunchydata.com/cluster": "pg"}
    own["metadata"]["ownerReferences"] = [{"kind": "StatefulSet", "name": "pg-0"}]
    cluster = Manifest("v1", "PostgresCluster", "pg", "here", "", {"metadata": {}})
    assert len(judged(own, manifests=(cluster,), settled=None)) == 1


def test_a_missing_configuration_counts_once_all_that_makes_it_is_ready() -> None:
    new = pod(version="2", containerStatuses=[waiting("CreateContainerConfigError")])
    assert judged(*VERSIONS, new, settled=None) == []
    assert len(judged(*VERSIONS, new, settled=NOW)) == 1


def test_other_users_pods_in_the_namespace_do_not_count() -> None:
    other = pod(version="2", containerStatuses=[waiting("InvalidImageName")])
    other["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "theirs-2"}]
    backup = hook_pod(containerStatuses=[waiting("InvalidImageName")])
    bare = pod("debug", containerStatuses=[waiting("InvalidImageName")])
    bare["metadata"]["ownerReferences"] = []
    assert judged(*VERSIONS, other, backup, bare) == []


def test_a_hook_that_is_not_tried_again_fails_with_its_pod() -> None:
    ended = [{"name": "main", "state": {"terminated": {"exitCode": 4}}}]
    failed = hook_pod(phase="Failed", containerStatuses=ended)
    (result,) = judged(failed, manifests=(hook(backoffLimit=0),))
    assert str(result) == "migrate-1/main: Job/migrate failed (ended with status 4)"
    assert result.grace_period_s == 0


def test_a_hook_that_is_tried_again_fails_with_its_second_pod() -> None:
    ended = [{"name": "main", "state": {"terminated": {"exitCode": 4}}}]
    first = hook_pod(phase="Failed", containerStatuses=ended)
    second = hook_pod("migrate-2", phase="Failed", containerStatuses=ended)
    assert judged(first, manifests=(hook(),)) == []
    assert len(judged(first, second, manifests=(hook(),))) == 2
    assert judged(first, second, manifests=(hook(),), settled=None) == []


def test_a_hook_whose_container_is_started_again_fails_with_its_second_crash() -> None:
    crashing = hook_pod(containerStatuses=[crashed(2)])
    assert len(judged(crashing, manifests=(hook(),))) == 1
    assert judged(crashing, manifests=(hook(),), settled=None) == []


def test_a_hook_that_failed_at_an_earlier_deploy_does_not_count() -> None:
    ended = [{"name": "main", "state": {"terminated": {"exitCode": 4}}}]
    failed = hook_pod(age_s=60, phase="Failed", containerStatuses=ended)
    began = NOW - timedelta(seconds=5)
    assert judged(failed, manifests=(hook(backoffLimit=0),), began=began) == []


@pytest.mark.parametrize(
    ("message", "hopeless"),
    [
        ("0/1 nodes are available: 1 Insufficient cpu.", True),
        ("pod has unbound immediate PersistentVolumeClaims", False),
        ("1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }", False),
    ],
)
def test_a_pod_without_a_node_is_final_sooner_when_nothing_is_on_its_way(
    message: str, hopeless: bool
) -> None:
    conditions = unscheduled(since_s=40)
    conditions[0]["message"] = message
    assert bool(judged(*VERSIONS, pod(version="2", conditions=conditions))) is hopeless


def test_all_that_other_users_require_are_databases_and_secrets() -> None:
    secret = Manifest("v1", "VaultStaticSecret", "creds", "here", "", {"metadata": {}})
    filled = {
        "kind": "VaultStaticSecret",
        "metadata": {"name": "creds"},
        "spec": {"destination": {"name": "creds"}},
        "status": {"secretMAC": "x"},
    }
    assert is_settled([DEPLOYMENT], seen())
    assert not is_settled([DEPLOYMENT, secret], seen())
    assert is_settled([DEPLOYMENT, secret], seen(filled))


ROTATES = [
    {"name": "REDIS_SOURCE", "value": "redis-vault"},
    {"name": "REDIS_SECRET", "value": "redis"},
]
ROTATOR = manifest.from_body(
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "rotator", "labels": {"app.kubernetes.io/component": "rotator"}},
        "spec": {"template": {"spec": {"containers": [{"name": "rotator", "env": ROTATES}]}}},
    },
    "here",
)


def rotator(ready: int) -> dict[str, Any]:
    """The rotator's Deployment, with so many pods ready."""
    status = {"observedGeneration": 1, "updatedReplicas": ready, "readyReplicas": ready}
    metadata = {"name": "rotator", "generation": 1}
    counts = {**status, "replicas": ready, "availableReplicas": ready}
    return {
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"replicas": 1},
        "status": counts,
    }


def test_who_publishes_secrets_must_be_ready_before_a_missing_one_counts() -> None:
    assert not is_settled([ROTATOR], seen())
    assert not is_settled([ROTATOR], seen(rotator(0)))
    assert is_settled([ROTATOR], seen(rotator(1)))


def test_a_missing_secret_is_reported_with_who_makes_it() -> None:
    state = waiting("CreateContainerConfigError")
    state["state"]["waiting"]["message"] = 'secret "redis" not found'
    new = pod(version="2", containerStatuses=[state])
    (trouble,) = judged(*VERSIONS, new, manifests=(DEPLOYMENT, ROTATOR))
    assert trouble.message == (
        'secret "redis" not found; Deployment/rotator makes it from the Secret redis-vault'
    )
    state["state"]["waiting"]["message"] = 'secret "other" not found'
    (trouble,) = judged(*VERSIONS, new, manifests=(DEPLOYMENT, ROTATOR))
    assert trouble.message == 'secret "other" not found'


def test_the_rotator_s_own_pod_waits_for_no_database() -> None:
    own = pod("rotator-1", containerStatuses=[waiting("CrashLoopBackOff", 2)])
    own["metadata"]["labels"] |= {"app.kubernetes.io/component": "rotator"}
    own["metadata"]["ownerReferences"][0]["name"] = "rotator-1"
    assert len(judged(own, manifests=(ROTATOR,), settled=None)) == 1
