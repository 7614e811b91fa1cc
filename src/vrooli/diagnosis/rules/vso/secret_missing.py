"""Vault has no secret at the path that the release reads."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.components.vso import Reading
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import restore_field_command
from vrooli.kube.objects import text


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each path without a secret in Vault."""
    missing: dict[str, list[Reading]] = {}
    for item in vso.readings(evidence):
        if item.status == vso.NOT_FOUND:
            missing.setdefault(item.path, []).append(item)
    for path, (first, *remaining) in missing.items():
        was = f"; version {first.version} was deleted" if first.version else ""
        yield Symptom(
            resource=first.about,
            message=f"Vault has no secret at {path} (404){was}.",
            remediation="Undelete it."
            if first.version
            else "Write it with the keys listed in the chart's README, or correct the path "
            "(vaultPath).",
            command=restore_field_command(evidence, first.about, "spec", "path") or _command(first),
            evidence=(
                f"{first.about.name}: GET /v1/{path}: 404",
                *last_events(evidence, first.about, vso.READ_EVENT, most=1),
            ),
            affects=tuple(item.about for item in remaining),
        )


def _command(item: Reading) -> str:
    where = f"-mount={shell.path(text(item.secret, 'spec', 'mount'))}"
    path = text(item.secret, "spec", "path")
    if item.version:
        return (
            f"vault kv undelete {where} -versions={shell.amount(item.version)} {shell.path(path)}"
        )
    return f"vault kv put {where} {shell.path(path)} KEY=-"


RULE = Rule(
    rule_id="vso-secret-missing-in-vault",
    title="`Failed to read Vault secret: empty response from Vault`: no secret at the path",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/commands/kv",
)
