"""Clocks differ: a node's from this machine's, or one that finds certificates not valid yet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, condition, ref_of, text
from vrooli.kube.status import is_pod_ready
from vrooli.kube.times import parse_time

# Network and rounding make a second or two.
SKEW_S = 30.0
WORDS = (
    r"certificate has expired or is not yet valid: current time \S+ is before"
    r"|certificate is not yet valid|[Tt]oken (?:is not valid yet|used before issued)"
    r"|time went backwards"
)
REMEDY = "Have the time kept by NTP (chrony, systemd-timesyncd) on every node and on this machine."
COMMAND = "timedatectl status"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each node whose signs of life are from the future, and each log that says so."""
    for node in evidence.all("Node"):
        beat = parse_time(text(condition(node, "Ready"), "lastHeartbeatTime"))
        ahead = (beat - evidence.now).total_seconds() if beat else 0.0
        if ahead > SKEW_S:
            yield Symptom(
                resource=ref_of(node),
                message=f"its clock is {ahead:.0f} s ahead of this machine's: its last sign of "
                "life is from the future",
                remediation=REMEDY,
                command=COMMAND,
                evidence=(f"lastHeartbeatTime {beat:%H:%M:%S}, now {evidence.now:%H:%M:%S} UTC",),
                # Whose trouble comes from it says so in its log, and has a finding of its own.
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
            message=f"the clocks of its node and of whom it speaks with differ: {line}",
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
