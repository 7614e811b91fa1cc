"""No policy of the role allows reading a secret."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies import vault
from vrooli.diagnosis.remedies.kubectl import restore_field_command


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield the secrets that may not be read as one symptom, since they share one role."""
    denied = [item for item in vso.readings(evidence) if item.status == vso.FORBIDDEN]
    refused = [item for item in denied if item.is_probed and not item.without_data]
    if not refused:
        return
    first, paths = refused[0], sorted({item.path for item in refused})
    remedy, command = vault.allow(evidence, refused)
    yield Symptom(
        resource=first.about,
        message=f"no policy of its role allows reading {', '.join(paths)} (403 permission denied).",
        remediation="Allow `read` on the path, including /data/, in a policy of the role, or set a "
        f"path that the policy allows. {remedy}".rstrip(),
        command=restore_field_command(evidence, first.about, "spec", "path") or command,
        evidence=(
            *(f"{item.about.name}: GET /v1/{item.path}: 403 {item.words}" for item in refused),
            *last_events(evidence, first.about, vso.READ_EVENT, most=1),
        ),
        affects=tuple(item.about for item in refused[1:]),
    )


RULE = Rule(
    rule_id="vso-policy-denied",
    title="`Failed to read Vault secret … Code: 403 … permission denied`",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/concepts/policies",
)
