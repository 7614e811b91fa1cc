"""The destination Secret of a VaultStaticSecret has a different owner."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, items, mapping, ref_of, text


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each VaultStaticSecret whose destination the operator does not own."""
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
        owned_by = f"its owner is {', '.join(owners)}" if owners else "it has no owner"
        yield Symptom(
            resource=ref,
            message=f"not the owner of the destination Secret {secret.name}: {owned_by}, so the "
            "operator does not update it from Vault.",
            remediation="Let the operator create it: make sure that its values are in Vault, then "
            "delete the Secret. Or set a different destination in the VaultStaticSecret.",
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
