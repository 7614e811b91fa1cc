"""A container was killed because it exceeded its memory limit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import container, is_older, log_of, states
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies import operators
from vrooli.kube.objects import Body, Ref, text
from vrooli.kube.status import ContainerStatus, Termination

# A container that was killed longer ago and has run since is healthy again, seconds.
RECENT_S = 600.0
KINDS = ("Deployment", "StatefulSet", "DaemonSet")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each workload with a container that was killed recently."""
    for owner, pod, item in states(evidence):
        ended = _killed(item)
        if ended is None or is_older(evidence, ended.finished_at, RECENT_S):
            continue
        name = item.name
        limit = text(container(pod, name), "resources", "limits", "memory")
        yield Symptom(
            resource=owner,
            message=f"container {name} was killed: it exceeded its memory limit "
            f"{limit or 'on the node'} (OOMKilled, restarted {item.restarts} times)",
            remediation=_remedy(evidence, owner, name),
            command=_more(evidence, owner, pod, name),
            evidence=log_of(evidence, pod, name),
        )


def _killed(item: ContainerStatus) -> Termination | None:
    ends = (item.terminated, item.last_terminated)
    return next((end for end in ends if end is not None and end.reason == "OOMKilled"), None)


def _remedy(evidence: Evidence, owner: Ref, name: str) -> str:
    resource = operators.resource(evidence, owner)
    if resource is None:
        return (
            "Raise its memory limit (services.*.resources.limits.memory), or find out why it uses "
            "so much."
        )
    return (
        f"Raise its memory limit in {resource} and in the values "
        f"({operators.values(resource, name)}): the operator reverts changes to {owner}. Or find "
        "out why it uses so much."
    )


def _more(evidence: Evidence, owner: Ref, pod: Body, name: str) -> str:
    """The command that doubles the limit, if the container has one."""
    limit = text(container(pod, name), "resources", "limits", "memory")
    amount = re.fullmatch(r"(\d+)([A-Za-z]*)", limit)
    if amount is None or owner.kind not in KINDS:
        return f"kubectl describe {owner.words}"
    doubled = f"{int(amount[1]) * 2}{amount[2]}"
    if (resource := operators.resource(evidence, owner)) is not None:
        return operators.memory(evidence, resource, pod, name, doubled)
    return (
        f"kubectl set resources {owner.words} -c {shell.label(name)} "
        f"--limits=memory={shell.amount(doubled)}"
    )


RULE = Rule(
    rule_id="oom-killed",
    title="OOMKilled: a container used more memory than its limit",
    find=find,
    link="https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/",
)
