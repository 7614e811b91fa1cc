"""A container terminates repeatedly."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import explaining_line, is_older, log_of, states
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import REDEPLOY_HINT, rollback_command
from vrooli.kube.status import ContainerStatus, Termination
from vrooli.kube.status.pods import CRASH_LOOP

# One crash can be normal: the database may not be ready yet.
CRASHES = 2
# A restarted container that terminated more recently than this is not healthy yet, seconds.
JUST_S = 60.0


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each workload with a container that terminated twice or more and is not ready."""
    for owner, pod, item in states(evidence):
        ended = item.latest_end or Termination()
        if not _is_looping(evidence, item, ended):
            continue
        name, log = item.name, log_of(evidence, pod, item.name)
        last = f"; its last message: {reason}" if (reason := explaining_line(log)) else ""
        yield Symptom(
            resource=owner,
            message=f"container {name} terminated {item.restarts + 1} times, last with exit code "
            f"{'unknown' if ended.exit_code is None else ended.exit_code} "
            f"({ended.reason or 'no reason given'}){last}",
            remediation=f"Check the end of its previous log. {REDEPLOY_HINT}, or roll back.",
            command=rollback_command(
                evidence, owner, f"kubectl logs {owner.words} -c {shell.label(name)} --previous"
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
    title="CrashLoopBackOff: a container terminates repeatedly",
    find=find,
    link="https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts",
)
