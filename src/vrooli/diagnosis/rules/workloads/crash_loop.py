"""A container ends again and again."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import explaining_line, is_older, log_of, states
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import REDEPLOY_HINT, rollback_command
from vrooli.kube.status import ContainerStatus, Termination
from vrooli.kube.status.pods import CRASH_LOOP

# One crash may be a database that isn't there yet.
CRASHES = 2
# A container that runs again, but ended this recently is not healthy yet, seconds.
JUST_S = 60.0


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each workload with a container that ended twice, and isn't ready since."""
    for owner, pod, item in states(evidence):
        ended = item.latest_end or Termination()
        if not _is_looping(evidence, item, ended):
            continue
        name, log = item.name, log_of(evidence, pod, item.name)
        last = f"; its last message: {reason}" if (reason := explaining_line(log)) else ""
        yield Symptom(
            resource=owner,
            message=f"container {name} ended {item.restarts + 1} times, last with "
            f"status {'unknown' if ended.exit_code is None else ended.exit_code}"
            f" ({ended.reason or 'no reason given'}){last}",
            remediation=f"See what its log says before it ends. {REDEPLOY_HINT}, or go back.",
            command=rollback_command(
                evidence, owner, f"kubectl logs {owner.words} -c {name} --previous"
            ),
            evidence=log,
        )


def _is_looping(evidence: Evidence, item: ContainerStatus, ended: Termination) -> bool:
    if item.waiting_reason == CRASH_LOOP:
        return item.restarts + 1 >= CRASHES
    return (
        item.latest_end is not None
        and ended.exit_code != 0
        and item.restarts >= CRASHES
        and not item.is_ready
        and not is_older(evidence, ended.finished_at, JUST_S)
    )


RULE = Rule(
    rule_id="crash-loop",
    title="CrashLoopBackOff: a container ends again and again",
    find=find,
    link="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts",
)
