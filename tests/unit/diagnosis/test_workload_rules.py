"""What keeps a workload's pods from being well: each rule on what a cluster has really said."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from support.evidence import DEV, NOW, asleep, diagnosed, evidence, found, happening, pod, pod_of
from vrooli.diagnosis.evidence.model import Answer, Evidence, LogSource
from vrooli.diagnosis.evidence.probes import health_answer
from vrooli.diagnosis.rules.cluster import quota_exceeded
from vrooli.diagnosis.rules.workloads import (
    config_missing,
    crash_loop,
    evicted,
    exits_at_start,
    image_pull,
    job_failed,
    oom_killed,
    pod_refused,
    probe_failing,
    pull_secret_missing,
    rollout_stuck,
    unschedulable,
    volume_mount,
)
from vrooli.kube.events import Event
from vrooli.kube.objects import Ref

SERVER = "vrooli-dev-server"
OWNER = f"Deployment/{SERVER}"
POD = Ref("Pod", f"{SERVER}-5d9c7b-abcde", "dev")
NOW_TEXT = NOW.isoformat()
BACK_OFF = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting"}}


def waiting(reason: str, message: str = "", **settings: Any) -> dict[str, Any]:
    """The server's pod, whose container waits."""
    state = {"waiting": {"reason": reason, "message": message}}
    return pod_of(SERVER, ready=False, state=state, phase="Pending", **settings)


def ended(code: int, reason: str = "Error", **settings: Any) -> dict[str, Any]:
    """The server's pod, whose container ended and waits for its next start."""
    last = {"terminated": {"exitCode": code, "reason": reason, "finishedAt": NOW_TEXT}}
    return pod_of(SERVER, ready=False, state=BACK_OFF, last=last, restarts=2, **settings)


def versions(*readies: int) -> list[dict[str, Any]]:
    """The ReplicaSets of the server, the oldest first, with how many pods of each are ready."""
    return [
        {
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{SERVER}-{number}",
                "namespace": "dev",
                "annotations": {"deployment.kubernetes.io/revision": str(number)},
                "ownerReferences": [{"kind": "Deployment", "name": SERVER}],
            },
            "spec": {"replicas": 1},
            "status": {"readyReplicas": ready},
        }
        for number, ready in enumerate(readies, 1)
    ]


def the_one(seen: Evidence) -> Any:
    """The only cause that all rules together name."""
    (cause,) = diagnosed(seen).causes
    return cause.finding


@pytest.mark.parametrize(
    ("reason", "said", "why"),
    [
        ("InvalidImageName", "couldn't parse image name: invalid reference format", "no image's"),
        ("ErrImageNeverPull", 'Container image "x" is not present with pull policy', "never"),
        ("ErrImagePull", "registry.example.com/x:9: not found", "no such image or tag"),
        ("ImagePullBackOff", "pull access denied, repository does not exist", "refuses it"),
        ("ErrImagePull", "dial tcp: lookup registry.example.com: no such host", "reached"),
        ("ErrImagePull", "toomanyrequests: You have reached your pull rate limit", "no more"),
        ("ErrImagePull", "no space left on device", "can't be pulled"),
    ],
)
def test_why_an_image_can_not_be_had_is_told_apart(reason: str, said: str, why: str) -> None:
    seen = waiting(reason, said)
    seen["status"]["containerStatuses"][0]["image"] = "registry.example.com/x:9"
    finding = the_one(evidence(seen))
    assert (finding.rule_id, finding.resource) == ("image-pull", OWNER)
    assert why in finding.message
    assert said in finding.message


@pytest.mark.parametrize(
    "image",
    [
        "registry.example.com/server:1.429.0",
        f"registry.example.com/server@sha256:{'429' * 21}a",
        "registry.example.com/authorization-denied:timeout",
    ],
)
def test_the_words_of_an_image_s_name_are_no_reason(image: str) -> None:
    said = f'Failed to pull image "{image}": rpc error: code = NotFound desc = {image}: not found'
    seen = waiting("ImagePullBackOff", "Back-off pulling image")
    seen["status"]["containerStatuses"][0]["image"] = image
    finding = the_one(evidence(seen, events=[happening(POD, "Failed", said)]))
    assert "there is no such image or tag" in finding.message


def test_of_an_image_that_waits_for_its_next_try_the_event_says_why() -> None:
    image = "localhost/vrooli/server:dev"
    event = happening(POD, "Failed", f'Failed to pull image "{image}": dial tcp 127.0.0.1:443')
    finding = the_one(evidence(waiting("ImagePullBackOff", "Back-off"), events=[event]))
    assert "made on this machine" in finding.message
    assert "dial tcp" in finding.message


def test_a_refused_image_without_a_pull_secret_says_so() -> None:
    seen = waiting("ErrImagePull", "401 Unauthorized")
    seen["status"]["containerStatuses"][0]["image"] = "registry.example.com/x:9"
    assert "no pull secret is named" in the_one(evidence(seen)).message


def test_the_way_back_leads_to_the_version_whose_pods_are_ready() -> None:
    sets = versions(0, 1, 0)
    finding = the_one(evidence(waiting("ErrImagePull", "not found"), *sets))
    assert finding.command == f"kubectl rollout undo deployment/{SERVER} -n dev --to-revision=2"


def test_an_older_version_that_goes_away_is_nobodys_trouble() -> None:
    old = waiting("ErrImagePull", "not found")
    old["metadata"]["labels"]["pod-template-hash"] = "old"
    old["metadata"] |= {"name": "old", "creationTimestamp": "2026-06-01T10:00:00+00:00"}
    old["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": f"{SERVER}-old"}]
    assert not diagnosed(evidence(old, pod_of(SERVER))).causes


def test_a_pull_secret_that_is_not_there_or_is_none_is_named() -> None:
    spec = {"imagePullSecrets": [{"name": "pull"}]}
    seen = evidence(pod_of(SERVER, spec=spec))
    assert found(pull_secret_missing.RULE, seen) == ["Secret/pull"]
    assert "--from-file=.dockerconfigjson=" in the_one(seen).command


def test_a_missing_pull_secret_explains_the_image_that_is_refused() -> None:
    seen = waiting("ErrImagePull", "401", spec={"imagePullSecrets": [{"name": "pull"}]})
    (cause,) = diagnosed(evidence(seen)).causes
    assert cause.finding.rule_id == "pull-secret-missing"
    assert [item.rule_id for item in cause.consequences] == ["image-pull"]


def test_a_crash_loop_is_told_with_the_last_lines_of_the_log() -> None:
    source = LogSource("dev", POD.name, "main", previous=True)
    logs = {source: ["starting", "KeyError: 'PORT'", ""]}
    finding = the_one(evidence(ended(1), logs=logs))
    assert finding.rule_id == "crash-loop"
    assert "3 times, last with status 1" in finding.message
    assert finding.message.endswith("it said last: KeyError: 'PORT'")
    assert finding.command == f"kubectl logs deployment/{SERVER} -n dev -c main --previous"


def test_one_crash_is_no_loop() -> None:
    last = {"terminated": {"exitCode": 1, "finishedAt": NOW_TEXT}}
    assert not found(crash_loop.RULE, evidence(pod_of(SERVER, last=last, restarts=1)))


@pytest.mark.parametrize(("code", "reason"), [(127, "Error"), (126, "Error"), (0, "Completed")])
def test_a_program_that_never_runs_is_not_just_a_crash(code: int, reason: str) -> None:
    assert the_one(evidence(ended(code, reason))).rule_id == "container-exits-at-start"


def test_a_program_that_can_not_be_started_is_told_in_the_runtimes_words() -> None:
    said = 'exec: "no-such": executable file not found in $PATH'
    assert said in the_one(evidence(waiting("RunContainerError", said))).message
    assert not found(exits_at_start.RULE, evidence(pod_of(SERVER)))


def test_a_container_killed_for_its_memory_gets_twice_the_limit() -> None:
    limits = {"containers": [{"name": "main", "resources": {"limits": {"memory": "64Mi"}}}]}
    finding = the_one(evidence(ended(137, "OOMKilled", spec=limits)))
    assert finding.rule_id == "oom-killed"
    assert finding.command == (
        f"kubectl set resources deployment/{SERVER} -n dev -c main --limits=memory=128Mi"
    )


def test_one_killed_long_ago_is_well_again() -> None:
    last = {"terminated": {"reason": "OOMKilled", "finishedAt": "2026-06-01T10:00:00+00:00"}}
    assert not found(oom_killed.RULE, evidence(pod_of(SERVER, last=last)))


PROBED = {"containers": [{"name": "main", "readinessProbe": {"httpGet": {"port": 80}}}]}
UNHEALTHY = happening(POD, "Unhealthy", "Readiness probe failed: HTTP probe failed: 503")


def test_a_failing_probe_is_told_with_what_the_service_itself_says_is_down() -> None:
    body = {"status": "down", "database": {"status": "up"}}
    body["redis"] = {"status": "down", "error": "no answer within 2.5 s"}
    body["services"] = {"status": "up", "jobs": {"status": "down"}}  # type: ignore[dict-item]
    answer = Answer(health_answer.NAME, POD, f"503 {json.dumps(body)}")
    seen = pod_of(SERVER, ready=False, spec=PROBED)
    finding = the_one(evidence(seen, events=[UNHEALTHY], answers=[answer]))
    assert finding.rule_id == "probe-failing"
    assert "redis (no answer within 2.5 s); jobs" in finding.message
    assert "database" not in finding.message


def test_a_container_that_has_just_started_may_fail_its_probe() -> None:
    state = {"running": {"startedAt": NOW_TEXT}}
    seen = pod_of(SERVER, ready=False, spec=PROBED, state=state)
    assert not found(probe_failing.RULE, evidence(seen, events=[UNHEALTHY]))


def test_a_container_that_is_ready_again_has_no_failing_probe() -> None:
    seen = pod_of(SERVER, spec=PROBED)
    assert not found(probe_failing.RULE, evidence(seen, events=[UNHEALTHY]))


def test_a_container_that_its_liveness_probe_ends_is_no_mere_crash() -> None:
    events = [
        happening(POD, "Unhealthy", "Liveness probe failed: connection refused"),
        happening(POD, "Killing", "Container main failed liveness probe, will be restarted"),
    ]
    finding = the_one(evidence(ended(137, spec=PROBED), events=events))
    assert finding.rule_id == "probe-failing"
    assert "Liveness" in finding.message


ARM = {
    "kind": "Node",
    "metadata": {"name": "one", "labels": {"kubernetes.io/arch": "arm64"}},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


def test_an_image_without_the_nodes_architecture_is_no_missing_tag() -> None:
    said = 'failed to pull image "x:9": no match for platform in manifest: not found'
    body = waiting("ErrImagePull", said)
    body["spec"]["nodeName"] = "one"
    finding = the_one(evidence(body, ARM))
    assert finding.rule_id == "image-pull"
    assert "isn't made for the architecture of the node" in finding.message
    assert "kubernetes.io/arch: arm64" in finding.remediation


@pytest.mark.parametrize("way", ["log", "state"])
def test_a_program_for_another_processor_is_named_with_the_nodes(way: str) -> None:
    words = "sh: 1: exec: /app: Exec format error"
    body = ended(126)
    logs = {}
    if way == "log":
        logs = {LogSource("dev", body["metadata"]["name"], "main", previous=True): [words]}
    else:
        last = body["status"]["containerStatuses"][0]["lastState"]["terminated"]
        last |= {"reason": "StartError", "message": words}
    body["spec"]["nodeName"] = "one"
    finding = the_one(evidence(body, ARM, logs=logs))
    assert finding.rule_id == "image-architecture"
    assert "architecture is arm64" in finding.message
    assert words in finding.message


def test_a_node_that_is_being_made_is_told_and_waited_for() -> None:
    def said(reason: str, ago_s: float) -> Event:
        found = happening(POD, reason, "pod triggered scale-up: [{web 0->1}]", ago_s=ago_s)
        return replace(found, source="cluster-autoscaler")

    waits = unscheduled("0/1 nodes are available: 1 Insufficient cpu.")
    finding = the_one(evidence(waits, events=[said("TriggeredScaleUp", 60)]))
    assert "a node is being made for it (pod triggered scale-up: [{web 0->1}])" in finding.message
    assert finding.remediation.startswith("Wait")
    refused = [said("TriggeredScaleUp", 60), said("NotTriggerScaleUp", 20)]
    for events in (refused, [said("TriggeredScaleUp", 16 * 60)]):
        assert "room" in the_one(evidence(waits, events=events)).message


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("0/1 nodes are available: 1 Insufficient cpu. preemption: not helpful", "room"),
        ("0/1 nodes are available: 1 Insufficient nvidia.com/gpu.", "free GPU"),
        ("0/1 nodes are available: 1 node(s) had untolerated taint {a: b}.", "taints"),
        ("0/1 nodes are available: 1 node(s) had untolerated taint(s).", "taints"),
        ("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.", "fits"),
        ("0/1 nodes are available: 1 node(s) were unschedulable.", "cordoned"),
        ("0/1 nodes are available: 1 node(s) didn't have free ports", "port"),
        ("no nodes available to schedule pods", "no nodes"),
    ],
)
def test_why_no_node_takes_a_pod_is_told_apart(said: str, why: str) -> None:
    finding = the_one(evidence(unscheduled(said)))
    assert finding.rule_id == "unschedulable"
    assert why in finding.message
    assert said in finding.message


def unscheduled(said: str) -> dict[str, Any]:
    """The server's pod, which waits for a node."""
    waits = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": said,
        "lastTransitionTime": "2026-06-01T11:59:00+00:00",
    }
    seen = pod_of(SERVER, ready=False, phase="Pending", conditions=[waits])
    seen["status"]["containerStatuses"] = []
    return seen


@pytest.mark.parametrize(
    ("spec", "said", "command"),
    [
        (
            {"taints": [{"key": "dedicated", "value": "db", "effect": "NoSchedule"}]},
            "1 node(s) had untolerated taint {dedicated: db}",
            "kubectl taint nodes one dedicated:NoSchedule-",
        ),
        ({"unschedulable": True}, "1 node(s) were unschedulable", "kubectl uncordon one"),
    ],
)
def test_what_is_wrong_with_the_node_is_mended_there(
    spec: dict[str, Any], said: str, command: str
) -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    node = {"kind": "Node", "metadata": {"name": "one"}, "spec": spec, "status": ready}
    assert the_one(evidence(unscheduled(said), node)).command == command


def test_a_claim_that_waits_is_not_the_schedulers_to_tell() -> None:
    seen = unscheduled("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
    assert not found(unschedulable.RULE, evidence(seen))


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ('secret "creds" not found', "Secret/creds"),
        ('configmap "settings" not found', "ConfigMap/settings"),
        ("couldn't find key URL in Secret dev/creds", "Secret/creds"),
        ("couldn't find key URL in ConfigMap dev/settings", "ConfigMap/settings"),
        ("container has runAsNonRoot and image will run as root", OWNER),
    ],
)
def test_what_a_container_can_not_start_without_is_named(said: str, about: str) -> None:
    finding = the_one(evidence(waiting("CreateContainerConfigError", said)))
    assert (finding.rule_id, finding.resource) == ("config-missing", about)


def test_a_volumes_secret_that_is_missing_is_no_trouble_of_the_volume() -> None:
    said = 'MountVolume.SetUp failed for volume "x" : secret "creds" not found'
    events = [happening(POD, "FailedMount", said)]
    seen = evidence(waiting("ContainerCreating"), events=events)
    assert the_one(seen).rule_id == "config-missing"
    assert not found(volume_mount.RULE, seen)


def test_a_volume_that_can_not_be_mounted_is_told_in_the_kubelets_words() -> None:
    said = "driver name csi.example.com not found in the list of registered CSI drivers"
    events = [happening(POD, "FailedMount", said)]
    finding = the_one(evidence(waiting("ContainerCreating"), events=events))
    assert (finding.rule_id, finding.resource) == ("volume-not-mounted", OWNER)
    assert said in finding.message


def test_a_claim_that_does_not_exist_is_named() -> None:
    seen = unscheduled('persistentvolumeclaim "data" not found')
    assert the_one(evidence(seen)).resource == "PersistentVolumeClaim/data"


def refused(said: str, *before: int, beside: tuple[dict[str, Any], ...] = ()) -> Evidence:
    """A new version of the server whose pods are refused, after others with so many ready."""
    failure = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": said,
    }
    *older, body = versions(*before, 0)
    return evidence(*beside, *older, {**body, "status": {"replicas": 0, "conditions": [failure]}})


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest": hostPath', "security"),
        ("maximum memory usage per Container is 128Mi, but limit is 512Mi", "LimitRange"),
        ('admission webhook "deny.example.com" denied the request: no', "a webhook forbids"),
        ('failed calling webhook "x": service "y" not found', "doesn't answer"),
        ('error looking up service account dev/x: serviceaccount "x" not found', "account"),
        ('no PriorityClass with name "urgent" was found', "priority"),
        ("something that nobody has heard of", "the API server forbids it"),
    ],
)
def test_why_pods_are_refused_is_told_apart(said: str, why: str) -> None:
    finding = the_one(refused(said))
    assert (finding.rule_id, finding.resource) == ("pod-refused", OWNER)
    assert why in finding.message
    assert said in finding.message


CALL = (
    'Internal error occurred: failed calling webhook "x.example.com": failed to call webhook: Post '
    '"https://{}/mutate?timeout=10s": no endpoints available for service "asked"'
)


def test_a_webhook_that_does_not_answer_is_brought_up() -> None:
    seen = refused(CALL.format("asked.tools.svc:443"), 1)
    # No other version of the workload helps.
    assert the_one(seen).command == "kubectl describe service/asked -n tools"
    there = refused(CALL.format("asked.tools.svc:443"), 1, beside=asleep("asked", "tools"))
    assert the_one(there).command == "kubectl scale deployment/asked -n tools --replicas=1"
    outside = refused(CALL.format("asked.example.com"))
    assert the_one(outside).command.startswith("kubectl get validatingwebhookconfigurations")


def test_a_missing_service_account_is_made() -> None:
    finding = the_one(
        refused('error looking up service account dev/x: serviceaccount "x" not found')
    )
    assert finding.command == "kubectl create serviceaccount x -n dev"


@pytest.mark.parametrize(
    ("amounts", "hard"),
    [
        ("requested: pods=1, used: pods=7, limited: pods=7", {"pods": "8"}),
        (
            "requested: requests.cpu=500m, used: requests.cpu=2, limited: requests.cpu=2",
            {"requests.cpu": "2500m"},
        ),
        (
            "requested: limits.memory=64Mi, used: limits.memory=1Gi, limited: limits.memory=1Gi",
            {"limits.memory": "1088Mi"},
        ),
    ],
)
def test_a_quota_without_room_is_raised_by_what_is_asked_for(
    amounts: str, hard: dict[str, str]
) -> None:
    finding = the_one(refused(f'pods "x" is forbidden: exceeded quota: small, {amounts}'))
    assert (finding.rule_id, finding.resource) == ("quota-exceeded", "ResourceQuota/small")
    assert json.loads(finding.command.split("'")[1]) == {"spec": {"hard": hard}}
    assert not found(quota_exceeded.RULE, evidence())
    assert not found(pod_refused.RULE, evidence())


OF_REDIS = ("StatefulSet", "rfr-vrooli-rf")
NO_ROOM = (
    "create Pod rfr-vrooli-rf-1 failed: exceeded quota: small, requested: pods=1, used: pods=9, "
    "limited: pods=9"
)


def one_of(pods: int, *events: Event) -> Evidence:
    """A StatefulSet that wants three pods, and has so many."""
    body = {
        "kind": "StatefulSet",
        "metadata": {"name": OF_REDIS[1], "namespace": "dev"},
        "spec": {"replicas": 3},
        "status": {"replicas": pods},
    }
    made = (pod(f"rfr-vrooli-rf-{number}", owner=OF_REDIS) for number in range(pods))
    return evidence(body, *made, events=events)


@pytest.mark.parametrize("pods", [0, 1, 2])
@pytest.mark.parametrize(
    ("said", "rule"), [(NO_ROOM, "quota-exceeded"), ("denied the request: no", "pod-refused")]
)
def test_a_pod_that_is_refused_beside_others_is_told(pods: int, said: str, rule: str) -> None:
    failed = happening(Ref(*OF_REDIS, "dev"), "FailedCreate", said)
    assert rule in {cause.finding.rule_id for cause in diagnosed(one_of(pods, failed)).causes}
    assert not found(pod_refused.RULE, one_of(3, failed))


def test_a_pod_that_was_made_since_ends_a_refusal() -> None:
    about = Ref(*OF_REDIS, "dev")
    failed = happening(about, "FailedCreate", NO_ROOM, ago_s=60)
    made = happening(about, "SuccessfulCreate", "create Pod rfr-vrooli-rf-1 successful", ago_s=9)
    assert not found(quota_exceeded.RULE, one_of(2, failed, made))
    assert found(
        quota_exceeded.RULE, one_of(2, made, happening(about, "FailedCreate", NO_ROOM, ago_s=5))
    )


def deployment(*conditions: dict[str, str], **spec: Any) -> dict[str, Any]:
    """The server's Deployment."""
    status = {"conditions": list(conditions), "updatedReplicas": 0}
    metadata = {"name": SERVER, "namespace": "dev"}
    body = {"replicas": 1, **spec}
    return {"kind": "Deployment", "metadata": metadata, "spec": body, "status": status}


def test_a_rollout_that_is_stuck_or_paused_is_told_when_nothing_says_why() -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    assert the_one(evidence(deployment(late))).rule_id == "rollout-stuck"
    paused = the_one(evidence(deployment(paused=True)))
    assert paused.command == f"kubectl rollout resume deployment/{SERVER} -n dev"
    assert not found(rollout_stuck.RULE, evidence(deployment()))


def test_what_holds_a_rollout_up_is_its_cause() -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    (cause,) = diagnosed(evidence(deployment(late), ended(1))).causes
    assert cause.finding.rule_id == "crash-loop"
    assert [item.rule_id for item in cause.consequences] == ["rollout-stuck"]


def job(name: str, kind: str, *, owner: str = "", born: str = "10:00") -> dict[str, Any]:
    """A Job that has ended."""
    metadata = {
        "name": name,
        "namespace": "dev",
        "creationTimestamp": f"2026-06-01T{born}:00+00:00",
        "ownerReferences": [{"kind": "CronJob", "name": owner}] if owner else [],
    }
    said = {"type": kind, "status": "True", "reason": "BackoffLimitExceeded", "message": "limit"}
    return {"kind": "Job", "metadata": metadata, "spec": {}, "status": {"conditions": [said]}}


def test_a_failed_job_is_told_until_a_later_one_has_succeeded() -> None:
    failed = job("backup-1", "Failed", owner="backup")
    finding = the_one(evidence(failed))
    assert (finding.rule_id, finding.resource) == ("job-failed", "Job/backup-1")
    assert finding.command == "kubectl create job backup-1-again --from=cronjob/backup -n dev"
    later = job("backup-2", "Complete", owner="backup", born="11:00")
    assert not diagnosed(evidence(failed, later)).causes


def test_a_failed_hook_is_told() -> None:
    hook = pod("migrate", phase="Failed", ready=False)
    hook["metadata"]["annotations"] = {"helm.sh/hook": "pre-upgrade"}
    assert found(job_failed.RULE, evidence(hook)) == ["Pod/migrate"]


def test_pods_that_nodes_put_out_are_told_and_deleted() -> None:
    gone = pod_of(SERVER, phase="Failed", ready=False)
    gone["status"] |= {"reason": "Evicted", "message": "The node was low on resource: memory."}
    gone["status"]["containerStatuses"] = []
    finding = the_one(evidence(gone))
    assert "low on resource: memory" in finding.message
    assert finding.command == f"kubectl delete pod {POD.name} -n dev"
    assert not found(evicted.RULE, evidence(pod_of(SERVER)))


def test_a_pod_that_is_well_gives_no_workload_rule_anything_to_say() -> None:
    assert DEV.namespace == "dev"
    assert not diagnosed(evidence(pod_of(SERVER))).causes
    assert not found(config_missing.RULE, evidence(pod_of(SERVER)))
    assert not found(image_pull.RULE, evidence(pod_of(SERVER)))
