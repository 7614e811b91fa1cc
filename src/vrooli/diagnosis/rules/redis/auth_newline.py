"""The Redis password starts or ends with white space, usually a newline."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import redis, rotation
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, text

KEY = "password"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each Secret of a RedisFailover whose password has leading or trailing white space."""
    for failover, body in redis.failovers(evidence):
        ref = Ref("Secret", text(body, "spec", "auth", "secretPath"), failover.namespace)
        facts = evidence.secrets.get(ref)
        if facts is not None and KEY in facts.trimmed:
            yield Symptom(
                resource=ref,
                message="the password starts or ends with white space, usually a newline. Redis "
                "strips it when it reads its configuration, but clients send it (WRONGPASS).",
                remediation="Write the password to Vault without the white space (`echo -n`, "
                "`printf %s`).",
                command=_command(evidence, ref),
                evidence=(
                    f"key {KEY}: {facts.lengths.get(KEY, 0)} bytes, leading or trailing white "
                    "space",
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
    title="WRONGPASS with the right password: the Secret's value ends with a newline",
    find=find,
    link="https://kubernetes.io/docs/concepts/configuration/secret/",
)
