"""A container ends again and again."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import (
    AGAIN,
    is_older,
    log_of,
    states,
    telling_of,
    way_back,
)
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, mapping, number, text

# One crash may be a database that isn't there yet.
CRASHES = 2
# A container that runs again, but ended so lately, isn't well yet, seconds.
JUST_S = 60.0


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each workload with a container that ended twice, and isn't ready since."""
    for owner, pod, item in states(evidence):
        ended = mapping(item, "state", "terminated") or mapping(item, "lastState", "terminated")
        if not _is_looping(evidence, item, ended):
            continue
        name, log = text(item, "name"), log_of(evidence, pod, text(item, "name"))
        last = f"; it said last: {said}" if (said := telling_of(log)) else ""
        yield Symptom(
            about=owner,
            found=f"container {name} ended {number(item, 'restartCount') + 1} times, last with "
            f"status {ended.get('exitCode', 'unknown')}"
            f" ({text(ended, 'reason') or 'no reason given'}){last}",
            remedy=f"See what its log says before it ends. {AGAIN}, or go back.",
            command=way_back(evidence, owner, f"kubectl logs {owner.words} -c {name} --previous"),
            evidence=log,
        )


def _is_looping(evidence: Evidence, item: Body, ended: Body) -> bool:
    if text(item, "state", "waiting", "reason") == "CrashLoopBackOff":
        return number(item, "restartCount") + 1 >= CRASHES
    return (
        bool(ended)
        and ended.get("exitCode") != 0
        and number(item, "restartCount") >= CRASHES
        and not item.get("ready")
        and not is_older(evidence, text(ended, "finishedAt"), JUST_S)
    )


RULE = Rule(
    name="crash-loop",
    title="CrashLoopBackOff: a container ends again and again",
    find=find,
    link="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts",
)
