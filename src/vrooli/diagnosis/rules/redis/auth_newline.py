"""Redis' password begins or ends with white space, a new line most often."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import redis, rotation
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, text

KEY = "password"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each Secret of a failover whose password has white space around it."""
    for failover, body in redis.failovers(evidence):
        ref = Ref("Secret", text(body, "spec", "auth", "secretPath"), failover.namespace)
        facts = evidence.secrets.get(ref)
        if facts is not None and KEY in facts.trimmed:
            yield Symptom(
                resource=ref,
                message="its password begins or ends with white space, most likely a new line: "
                "Redis reads its configuration without it, and clients send it (WRONGPASS).",
                remediation="Write the password into Vault without it (`echo -n`, `printf %s`).",
                command=_command(evidence, ref),
                evidence=(
                    f"key {KEY}: {facts.lengths.get(KEY, 0)} bytes with white space at an end",
                ),
                affects=(failover,),
            )


def _command(evidence: Evidence, secret: Ref) -> str:
    item = rotation.filler(evidence, secret)
    if item is not None:
        where = f"-mount={text(item, 'spec', 'mount')}"
        path = text(item, "spec", "path")
        return (
            f"vault kv get {where} -field=REDIS_PASSWORD {path} | tr -d '[:space:]' | "
            f"vault kv patch {where} {path} REDIS_PASSWORD=-"
        )
    return f"kubectl edit {secret.words}"


RULE = Rule(
    rule_id="redis-auth-newline",
    title="WRONGPASS with the right password: it ends with a new line in its Secret",
    find=find,
    link="https://kubernetes.io/docs/concepts/configuration/secret/",
)
