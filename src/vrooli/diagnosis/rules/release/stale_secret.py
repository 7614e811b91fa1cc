"""A pod runs with an old value of a Secret, because its restart after a change was lost.

The Vault Secrets Operator restarts a workload by an annotation in whole seconds. If two Secrets
change in the same second, the second restart changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, Ref, creation_time, items, ref_of, text
from vrooli.kube.status import pod_status
from vrooli.kube.times import parse_time

# A restart after a change may take this long: the interval of the operator, and the rollout,
# seconds.
ROLLOUT_S = 120.0


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each workload with a pod that is older than the last change of one of its Secrets."""
    stale: dict[Ref, list[tuple[Ref, str, datetime]]] = {}
    for body in evidence.all("VaultStaticSecret"):
        namespace = ref_of(body).namespace
        secret = Ref("Secret", text(body, "spec", "destination", "name"), namespace)
        changed = _last_change(evidence, secret)
        if changed is None:
            continue
        for target in items(body, "spec", "rolloutRestartTargets"):
            workload = Ref(text(target, "kind"), text(target, "name"), namespace)
            for pod in evidence.pods_of(workload):
                if _is_older(pod, changed):
                    stale.setdefault(workload, []).append((secret, ref_of(pod).name, changed))
    for workload, reads in stale.items():
        secrets = ", ".join(sorted({str(secret) for secret, _, _ in reads}))
        pods = sorted({pod for _, pod, _ in reads})
        yield Symptom(
            resource=workload,
            message=f"{', '.join(pods)} started before the last change of {secrets}: the "
            "environment of a running container keeps the old value.",
            remediation="Restart it. The pods then read the current values.",
            command=f"kubectl rollout restart {workload.words}",
            evidence=tuple(
                f"{secret} was changed at {changed.isoformat()}, after the start of {pod}"
                for secret, pod, changed in reads
            ),
        )


def _last_change(evidence: Evidence, secret: Ref) -> datetime | None:
    """When a Secret's values last changed, if its pods should have been restarted since."""
    facts, body = evidence.secrets.get(secret), evidence.get(secret)
    if facts is None or body is None or facts.changed is None:
        return None
    created = parse_time(creation_time(body))
    is_first = created is None or facts.changed <= created
    is_recent = (evidence.now - facts.changed).total_seconds() < ROLLOUT_S
    return None if is_first or is_recent else facts.changed


def _is_older(pod: Body, changed: datetime) -> bool:
    """Whether a running container of the pod started before a change.

    Both times are whole seconds: a start in the same second may have read either value.
    """
    return any(
        item.is_running and item.started_at is not None and item.started_at <= changed
        for item in pod_status(pod).containers
    )


RULE = Rule(
    rule_id="secret-stale",
    title="a pod runs with an old value of a Secret",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/api-reference"
    "#rolloutrestarttarget",
)
