"""A policy has a secret's path without /data/, which KV version 2 requires."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies import vault


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield the secrets whose policy has the path of KV version 1."""
    without_data = [item for item in vso.readings(evidence) if item.without_data]
    if not without_data:
        return
    first, paths = without_data[0], sorted({item.path for item in without_data})
    remedy, command = vault.allow(evidence, without_data)
    allowed = ", ".join(path.replace("/data/", "/", 1) for path in paths)
    yield Symptom(
        resource=first.about,
        message=f"a policy allows {allowed} without /data/, but a KV version 2 engine serves the "
        f"values at {', '.join(paths)} (403 permission denied).",
        remediation=f"Add /data/ to the path in the policy. {remedy}".rstrip(),
        command=command,
        evidence=tuple(
            f"{item.about.name}: GET /v1/{item.path}: 403 {item.words}" for item in without_data
        ),
        affects=tuple(item.about for item in without_data[1:]),
    )


RULE = Rule(
    rule_id="vso-policy-path-without-data",
    title="403: a policy has a KV v2 path without /data/",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/secrets/kv/kv-v2/upgrade#acl-rules",
)
