"""The Secrets Operator restarts workloads at every refresh because the Secret keeps changing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence, is_recent
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import patch
from vrooli.kube.events import Event
from vrooli.kube.objects import Ref, items, ref_of, text

REASON = "RolloutRestartTriggered"
# A rotation restarts each target once. This many restarts, the last one recent, are a loop if
# there was one at every second refresh or more: several rotations in a day are not a loop.
MANY, WITHIN_S = 5, 120.0
REFRESHES = 2
# Not within a number: a long one would take quadratic time otherwise.
_DURATION = re.compile(r"(?<![\d.])(\d++(?:\.\d++)?)(h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each VaultStaticSecret that restarts the same target repeatedly."""
    for body in evidence.all("VaultStaticSecret"):
        ref = ref_of(body)
        every_s = REFRESHES * _seconds(text(body, "spec", "refreshAfter"))
        events = [
            event
            for event in evidence.events_of(ref, REASON)
            if event.count >= MANY
            and is_recent(event, evidence.now, max(WITHIN_S, every_s))
            and _is_at_each(event, every_s)
        ]
        if events:
            targets = items(body, "spec", "rolloutRestartTargets")
            yield Symptom(
                resource=ref,
                message=f"{REASON} {events[-1].count} times: the Secret "
                f"{text(body, 'spec', 'destination', 'name')} is changed by another writer after "
                "each sync, and each sync restarts the workloads that use it.",
                remediation="Stop the other writer of that Secret. Until then, disable the "
                "restarts.",
                command=patch(ref, [], "spec", "rolloutRestartTargets"),
                evidence=tuple(str(event) for event in events[-3:]),
                affects=tuple(
                    Ref(text(item, "kind"), text(item, "name"), ref.namespace) for item in targets
                ),
            )


def _is_at_each(event: Event, every_s: float) -> bool:
    """Whether the event occurred at least this often on average; true without a first time."""
    if event.first is None or event.last is None or not every_s:
        return True
    return (event.last - event.first).total_seconds() <= event.count * every_s


def _seconds(duration: str) -> float:
    """The seconds of a Go duration such as 1h30m; 0 if it is not one."""
    return sum(float(count) * _SECONDS[unit] for count, unit in _DURATION.findall(duration))


RULE = Rule(
    rule_id="vso-restart-loop",
    title="`RolloutRestartTriggered` at every refresh",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/api-reference"
    "#rolloutrestarttarget",
)
