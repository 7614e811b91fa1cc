"""The Secret with the Redis password has no `password` key, or the key is empty."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import redis, rotation
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import restore_field_command
from vrooli.kube.objects import Ref, ref_of, text

KEY = "password"
TEMPLATES = ("spec", "destination", "transformation", "templates")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each Secret that a RedisFailover references and that lacks the `password` key."""
    for failover, body in redis.failovers(evidence):
        ref = Ref("Secret", text(body, "spec", "auth", "secretPath"), failover.namespace)
        facts = evidence.secrets.get(ref)
        if facts is None or facts.lengths.get(KEY):
            continue
        words = f'secret "{ref.name}" does not have a password field'
        log = list(recent_lines(evidence, "does not have a password field", "redis-operator"))
        yield Symptom(
            resource=ref,
            message=f"{words}: the operator reads the key `password`; the Secret has "
            f"{', '.join(sorted(facts.lengths)) or 'none'}"
            f"{' with an empty password' if KEY in facts.lengths else ''}.",
            remediation="Configure the Vault Secrets Operator to write the key `password` from "
            "REDIS_PASSWORD (vso.secrets.redis.templates).",
            command=_command(evidence, ref),
            evidence=(f"keys: {', '.join(sorted(facts.lengths)) or 'none'}", *quoted(log, 2)),
            affects=(failover,),
        )


def _command(evidence: Evidence, secret: Ref) -> str:
    """The command that restores the release's template, or opens the object that needs it."""
    item = rotation.filler(evidence, secret)
    if item is not None:
        ref = ref_of(item)
        return restore_field_command(evidence, ref, *TEMPLATES) or f"kubectl edit {ref.words}"
    return f"kubectl edit {secret.words}"


RULE = Rule(
    rule_id="redis-auth-key-missing",
    title="`does not have a password field`",
    find=find,
    link="https://github.com/spotahome/redis-operator#enabling-redis-auth",
)
