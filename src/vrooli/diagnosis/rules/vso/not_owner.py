"""The Secret that a VaultStaticSecret is to make belongs to somebody else."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, items, mapping, ref_of, text


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each Secret that the operator won't write, since it isn't its own."""
    for body in evidence.all("VaultStaticSecret"):
        ref = ref_of(body)
        where = mapping(body, "spec", "destination")
        secret = Ref("Secret", text(where, "name"), ref.namespace)
        existing = evidence.get(secret)
        if not where.get("create") or where.get("overwrite") or existing is None:
            continue
        owners = [
            f"{text(item, 'kind')}/{text(item, 'name')}"
            for item in items(existing, "metadata", "ownerReferences")
        ]
        if owners == [str(ref)]:
            continue
        owned_by = f"it belongs to {', '.join(owners)}" if owners else "nobody owns it"
        yield Symptom(
            resource=ref,
            message=f"not the owner of the destination Secret {secret.name}: {owned_by}, so the "
            "operator leaves it as it is and nothing from Vault reaches it.",
            remediation="Let the operator make it: delete the Secret, once its values are in "
            "Vault; or give the VaultStaticSecret a destination of its own.",
            command=f"kubectl delete {secret.words}",
            evidence=(
                f"{secret.name}: ownerReferences {owners}",
                *last_events(evidence, ref, vso.SYNC_EVENT, most=1),
            ),
        )


RULE = Rule(
    rule_id="vso-not-owner",
    title="`SecretSyncError: not the owner of the destination Secret`, `invalid ownerReferences`",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/api-reference"
    "#destination",
)
