"""A template uses a key that the secret in Vault does not have."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import restore_field_command
from vrooli.operators.vso.templates import read_keys, templates

OK = 200
TEMPLATES = ("spec", "destination", "transformation", "templates")
ERRORS = ("SecretDataBuilderError", "TransformationError")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each secret with a template that uses a missing key."""
    for item in vso.readings(evidence):
        if item.status != OK:
            continue
        missing = {
            f"{target_key}: {key}": key
            for target_key, template in templates(item.secret).items()
            for key in read_keys(template)
            if key not in item.keys
        }
        if missing:
            names = ", ".join(sorted(set(missing.values())))
            yield Symptom(
                resource=item.about,
                message=f"its template uses {names}, but the secret in Vault has "
                f"{', '.join(sorted(item.keys)) or 'no key'}.",
                remediation=f"Write {names} to {item.path}, or correct the template "
                "(vso.secrets.*.templates).",
                command=restore_field_command(evidence, item.about, *TEMPLATES)
                or f"vault kv patch {shell.path(item.path.replace('/data/', '/', 1))} "
                f"{shell.key(names.split(',')[0])}=-",
                evidence=(
                    *(f"template {target_key}" for target_key in sorted(missing)),
                    *last_events(evidence, item.about, *ERRORS, most=1),
                ),
            )


RULE = Rule(
    rule_id="vso-template-key-missing",
    title="a VaultStaticSecret's template uses a key that is not in Vault",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/secret-transformation",
)
