"""Clocks differ: a node's clock is ahead, or a program rejects certificates as not yet valid."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, condition, ref_of, text
from vrooli.kube.status import is_pod_ready
from vrooli.kube.times import parse_time

# Network delay and rounding cause a second or two.
SKEW_S = 30.0
WORDS = (
    r"certificate has expired or is not yet valid: current time \S+ is before"
    r"|certificate is not yet valid|[Tt]oken (?:is not valid yet|used before issued)"
    r"|time went backwards"
)
REMEDY = "Synchronize the clocks of every node and of this machine with NTP (chrony, "
"systemd-timesyncd)."
COMMAND = "timedatectl status"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each node with a heartbeat in the future, and each workload that logs clock errors."""
    for node in evidence.all("Node"):
        beat = parse_time(text(condition(node, "Ready"), "lastHeartbeatTime"))
        ahead = (beat - evidence.now).total_seconds() if beat else 0.0
        if ahead > SKEW_S:
            yield Symptom(
                resource=ref_of(node),
                message=f"its clock is {ahead:.0f} s ahead of this machine's: its last heartbeat "
                "is in the future",
                remediation=REMEDY,
                command=COMMAND,
                evidence=(f"lastHeartbeatTime {beat:%H:%M:%S}, now {evidence.now:%H:%M:%S} UTC",),
                # A workload that fails because of it logs an error and gets its own finding.
                can_explain=(),
            )
    errors: dict[Ref, str] = {}
    for source, lines in evidence.logs.items():
        matches = [line for line in lines[-20:] if re.search(WORDS, line)]
        pod = evidence.get(Ref("Pod", source.pod, source.namespace))
        if matches and pod is not None and not is_pod_ready(pod):
            errors.setdefault(evidence.owner(pod), f"{source}: {matches[-1]}")
    for about, line in errors.items():
        yield Symptom(
            resource=about,
            message=f"the clocks of its node and of its peer differ: {line}",
            remediation=REMEDY,
            command=COMMAND,
            evidence=(line,),
        )


RULE = Rule(
    rule_id="clock-skew",
    title="certificate is not yet valid, token used before issued: clocks differ",
    find=find,
    link="https://kubernetes.io/docs/setup/best-practices/certificates/",
)
