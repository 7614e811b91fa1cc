"""The namespace's quota has no capacity for a workload's pods."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal

from vrooli import shell
from vrooli.diagnosis.evidence.failed_create import refusals
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import rollback_command
from vrooli.kube.objects import Ref

# No part has a colon, so that a text of others is searched in linear time.
QUOTA = re.compile(
    r"exceeded quota: ([^,:]+), requested: ([^:]+), used: ([^:]+), limited: ([^:]+)$"
)
AMOUNT = re.compile(r"(\d+(?:\.\d+)?)(m|k|[KMGT]i?)?")
UNITS = {
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("", "k", "M", "G", "T"))},
    **{unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti"), 1)},
}


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each quota that blocks pods, with the workloads that it affects."""
    stopped: dict[Ref, list[tuple[Ref, str]]] = {}
    for item in refusals(evidence):
        if match := QUOTA.search(item.message):
            quota = Ref("ResourceQuota", match[1], evidence.namespace)
            stopped.setdefault(quota, []).append((item.workload, item.message))
    for quota, workloads in stopped.items():
        workload, message = workloads[0]
        names = ", ".join(str(ref) for ref, _ in workloads)
        yield Symptom(
            resource=quota,
            message=f"it has no capacity for the pods of {names}: "
            f"{message[message.find('exceeded') :]}",
            remediation="Raise the quota, stop unneeded workloads, or lower the requests.",
            command=_raised(quota, message) or rollback_command(evidence, workload),
            evidence=tuple(f"FailedCreate {ref}: {line}" for ref, line in workloads),
            affects=tuple(ref for ref, _ in workloads),
        )


def _raised(quota: Ref, message: str) -> str:
    """The command that raises the quota to exactly the requested amount."""
    match = QUOTA.search(message)
    if match is None:
        return ""
    requested, used = _amounts(match[2]), _amounts(match[3])
    hard = {name: _sum(amount, used.get(name, "")) for name, amount in requested.items()}
    if not hard or not all(hard.values()):
        return ""
    change = json.dumps({"spec": {"hard": hard}})
    return f"kubectl patch {quota.words} --type=merge -p {shell.quote(change)}"


def _amounts(listing: str) -> dict[str, str]:
    pairs = (item.partition("=") for item in listing.split(","))
    return {name.strip(): amount.strip() for name, _, amount in pairs}


def _sum(first: str, second: str) -> str:
    """The sum of two amounts in the smaller unit; empty if one of them is not an amount."""
    read = [AMOUNT.fullmatch(value) for value in (first, second)]
    if not all(read):
        return ""
    units = [item[2] or "" for item in read if item]
    unit = min(units, key=lambda name: UNITS[name])
    total = sum(Decimal(item[1]) * UNITS[item[2] or ""] for item in read if item)
    return f"{-(-total // UNITS[unit])}{unit}"


RULE = Rule(
    rule_id="quota-exceeded",
    title="exceeded quota: the namespace's quota has no capacity for pods",
    find=find,
    link="https://kubernetes.io/docs/concepts/policy/resource-quotas/",
)
