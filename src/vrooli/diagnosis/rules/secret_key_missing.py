"""A Secret of the release lacks a key, or has it empty, that its components can't do without."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.objects import Ref, ref_of, text
from vrooli.diagnosis.vso import SETUP
from vrooli.secrets import catalog


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each of the release's Secrets that isn't whole."""
    for spec in catalog.ALL:
        ref = Ref("Secret", spec.kubernetes, evidence.namespace)
        facts = evidence.secrets.get(ref)
        if facts is None or not facts.type or facts.type != "Opaque":
            continue
        missing = [key.name for key in spec.keys if key.needed and not facts.lengths.get(key.name)]
        if missing:
            names = ", ".join(missing)
            yield Symptom(
                about=ref,
                found=f"it lacks {names}, which {spec.title} can't do without; it has "
                f"{', '.join(sorted(facts.lengths)) or 'no key'}.",
                remedy=f"Write {names} into Vault at secret/{spec.path}: the Secret follows.",
                command=_command(evidence, spec.kubernetes, missing[0]),
                evidence=(f"keys: {', '.join(sorted(facts.lengths)) or 'none'}",),
            )


def _command(seen: Evidence, secret: str, key: str) -> str:
    for item in seen.all("VaultStaticSecret"):
        if text(item, "spec", "destination", "name") == secret and ref_of(item).name:
            mount, path = text(item, "spec", "mount"), text(item, "spec", "path")
            return f"vault kv patch -mount={mount} {path} {key}=-"
    return SETUP


RULE = Rule(
    name="secret-key-missing",
    title="a Secret lacks a key that server or jobs read",
    find=find,
    link="https://kubernetes.io/docs/concepts/configuration/secret/",
)
