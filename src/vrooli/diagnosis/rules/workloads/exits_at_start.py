"""A container's program can't be started, or ends at once by itself."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events, log_of, states
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import REDEPLOY_HINT, rollback_command
from vrooli.kube.objects import Body, ref_of, text
from vrooli.kube.status import ContainerStatus, Termination
from vrooli.kube.status.pods import CRASH_LOOP

WAITING = ("RunContainerError", "CreateContainerError", "StartError", "ContainerCannotRun")
# What shells and runtimes say of a program that isn't there or may not be run.
STATUSES = {126: "it may not be run", 127: "it isn't there", 128: "it can't be started"}


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each workload with a container that never really runs."""
    for owner, pod, item in states(evidence):
        why = _why(pod, item)
        if why:
            name = item.name
            yield Symptom(
                resource=owner,
                message=f"container {name} never runs: {why}",
                remediation=f"{REDEPLOY_HINT}: see its image, command and arguments.",
                command=rollback_command(evidence, owner),
                evidence=(
                    *last_events(evidence, ref_of(pod), "Failed", "BackOff"),
                    *log_of(evidence, pod, name),
                ),
            )


def _why(pod: Body, item: ContainerStatus) -> str:
    ended = item.latest_end or Termination()
    code = ended.exit_code
    if item.waiting_reason in WAITING:
        return f"{item.waiting_reason}: {item.waiting_message}"
    if item.waiting_reason != CRASH_LOOP or code is None:
        return ""
    if ended.reason in WAITING:
        return f"{ended.reason}: {ended.message}"
    if code in STATUSES:
        return f"its program {STATUSES[code]} (status {code})"
    if code == 0 and text(pod, "spec", "restartPolicy") != "OnFailure":
        times = item.restarts + 1
        return f"its program ends by itself, without an error (status 0, {times} times)"
    return ""


RULE = Rule(
    rule_id="container-exits-at-start",
    title="RunContainerError, Completed: a container's program never really runs",
    find=find,
    link="https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/",
)
