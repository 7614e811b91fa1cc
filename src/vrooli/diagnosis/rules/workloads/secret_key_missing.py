"""A Secret of the release lacks a required key, or the key is empty."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import rotation
from vrooli.diagnosis.evidence.components.vso import SETUP
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, text
from vrooli.secrets import catalog


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each Secret of the release that lacks required keys."""
    for spec in catalog.ALL:
        ref = Ref("Secret", evidence.names.secrets[spec], evidence.namespace)
        facts = evidence.secrets.get(ref)
        if facts is None or not facts.type or facts.type != "Opaque":
            continue
        missing = [
            key.name for key in spec.keys if key.required and not facts.lengths.get(key.name)
        ]
        if missing:
            names = ", ".join(missing)
            yield Symptom(
                resource=ref,
                message=f"it lacks {names}, which {spec.title} requires; it has "
                f"{', '.join(sorted(facts.lengths)) or 'no key'}.",
                remediation=f"Write {names} to Vault at secret/{spec.path}. The Secret is synced "
                "from there.",
                command=_command(evidence, ref, missing[0]),
                evidence=(f"keys: {', '.join(sorted(facts.lengths)) or 'none'}",),
            )


def _command(evidence: Evidence, secret: Ref, key: str) -> str:
    item = rotation.filler(evidence, secret)
    if item is None:
        return SETUP
    mount, path = text(item, "spec", "mount"), text(item, "spec", "path")
    return f"vault kv patch -mount={shell.path(mount)} {shell.path(path)} {shell.key(key)}=-"


RULE = Rule(
    rule_id="secret-key-missing",
    title="a Secret lacks a key that the server or jobs read",
    find=find,
    link="https://kubernetes.io/docs/concepts/configuration/secret/",
)
