"""The Redis password has white space, quotes or other characters that redis.conf cannot hold."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import redis, rotation
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Body, Ref, text

KEY = "password"
# The same value in the Secret under its name in Vault.
SOURCE_KEY = "REDIS_PASSWORD"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each Secret of a RedisFailover whose password redis.conf cannot hold."""
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
        elif facts is not None and (reason := facts.problems.get(SOURCE_KEY)):
            yield Symptom(
                resource=ref,
                message=f"the password cannot be used: {reason}. Redis reads another one, or does "
                "not start.",
                remediation="Write another password to Vault: hexadecimal digits need no quotes.",
                command=_replacement(evidence, ref),
                evidence=(f"key {KEY}: {facts.lengths.get(KEY, 0)} bytes, {reason}",),
                affects=(failover,),
            )


def _replacement(evidence: Evidence, secret: Ref) -> str:
    item = rotation.filler(evidence, secret)
    if item is None:
        return f"kubectl edit {secret.words}"
    patch = _patch(item)
    return f"openssl rand -hex 24 | {patch}"


def _command(evidence: Evidence, secret: Ref) -> str:
    item = rotation.filler(evidence, secret)
    if item is None:
        return f"kubectl edit {secret.words}"
    where = f"-mount={shell.path(text(item, 'spec', 'mount'))}"
    path, patch = text(item, "spec", "path"), _patch(item)
    return (
        f"vault kv get {where} -field={SOURCE_KEY} {shell.path(path)} | tr -d '[:space:]' | {patch}"
    )


def _patch(filler: Body) -> str:
    """The command that writes the password in standard input to Vault."""
    where = f"-mount={shell.path(text(filler, 'spec', 'mount'))}"
    return f"vault kv patch {where} {shell.path(text(filler, 'spec', 'path'))} {SOURCE_KEY}=-"


RULE = Rule(
    rule_id="redis-auth-newline",
    title="WRONGPASS with the right password: the Secret's value ends with a newline",
    find=find,
    link="https://kubernetes.io/docs/concepts/configuration/secret/",
)
