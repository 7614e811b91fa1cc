"""A container's program can't be started, or ends at once by itself."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import AGAIN, log_of, states, told, way_back
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, mapping, number, ref_of, text

WAITING = ("RunContainerError", "CreateContainerError", "StartError", "ContainerCannotRun")
# What shells and runtimes say of a program that isn't there or may not be run.
STATUSES = {126: "it may not be run", 127: "it isn't there", 128: "it can't be started"}


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each workload with a container that never really runs."""
    for owner, pod, item in states(evidence):
        why = _why(pod, item)
        if why:
            name = text(item, "name")
            yield Symptom(
                about=owner,
                found=f"container {name} never runs: {why}",
                remedy=f"{AGAIN}: see its image, command and arguments.",
                command=way_back(evidence, owner),
                evidence=(
                    *told(evidence, ref_of(pod), "Failed", "BackOff"),
                    *log_of(evidence, pod, name),
                ),
            )


def _why(pod: Body, item: Body) -> str:
    waiting = mapping(item, "state", "waiting")
    ended = mapping(item, "state", "terminated") or mapping(item, "lastState", "terminated")
    code, reason = ended.get("exitCode"), text(ended, "reason")
    if waiting.get("reason") in WAITING:
        return f"{text(waiting, 'reason')}: {text(waiting, 'message')}"
    if waiting.get("reason") != "CrashLoopBackOff" or not isinstance(code, int):
        return ""
    if reason in WAITING:
        return f"{reason}: {text(ended, 'message')}"
    if code in STATUSES:
        return f"its program {STATUSES[code]} (status {code})"
    if code == 0 and text(pod, "spec", "restartPolicy") != "OnFailure":
        times = number(item, "restartCount") + 1
        return f"its program ends by itself, without an error (status 0, {times} times)"
    return ""


RULE = Rule(
    name="container-exits-at-start",
    title="RunContainerError, Completed: a container's program never really runs",
    find=find,
    link="https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/",
)
