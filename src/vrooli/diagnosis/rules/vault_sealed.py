"""Vault answers, and says that it is sealed or was never initialised."""

from __future__ import annotations

import json
from collections.abc import Iterator

from vrooli.diagnosis.evidence import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.objects import dig
from vrooli.diagnosis.probes import vault_health


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each Vault that is sealed."""
    for answer in evidence.answers:
        if answer.probe == vault_health.NAME and answer.ok:
            said = json.loads(answer.text)
            if dig(said, "initialized") is False:
                found = "Vault was never initialised: it holds no secrets and gives none."
                command = f"vault operator init -address=http://{answer.about.name}"
            elif dig(said, "sealed") is True:
                found = "Vault is sealed: it gives no secret until it is unsealed."
                command = f"vault operator unseal -address=http://{answer.about.name}"
            else:
                continue
            yield Symptom(
                about=answer.about,
                found=found,
                remedy="Unseal it with its keys; a development Vault is mended by `vrooli setup "
                "--target k8s-cluster`.",
                command=command,
                evidence=(answer.text.strip(),),
            )


RULE = Rule(
    name="vault-sealed",
    title="503 `Vault is sealed`",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/concepts/seal",
)
