"""A container's program cannot be started, or exits immediately."""

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
# The exit codes of shells and runtimes for a program that cannot be executed.
STATUSES = {126: "is not executable", 127: "was not found", 128: "cannot be started"}


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each workload with a container that never keeps running."""
    for owner, pod, item in states(evidence):
        why = _why(pod, item)
        if why:
            name = item.name
            yield Symptom(
                resource=owner,
                message=f"container {name} does not run: {why}",
                remediation=f"{REDEPLOY_HINT}: check its image, command and arguments.",
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
        return f"its program {STATUSES[code]} (exit code {code})"
    if code == 0 and text(pod, "spec", "restartPolicy") != "OnFailure":
        times = item.restarts + 1
        return f"its program exits without an error (exit code 0, {times} times)"
    return ""


RULE = Rule(
    rule_id="container-exits-at-start",
    title="RunContainerError, Completed: a container's program does not start or exits immediately",
    find=find,
    link="https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/",
)
