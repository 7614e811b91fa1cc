"""The RedisFailover references a password Secret that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import redis, rotation
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import patch
from vrooli.kube.objects import Body, Ref, ref_of, text
from vrooli.operators.vso.templates import templates

PATH = ("spec", "auth", "secretPath")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each RedisFailover whose Secret does not exist and is not synced from Vault."""
    for ref, body in redis.failovers(evidence):
        name = text(body, *PATH)
        if not name or not evidence.is_readable("Secret") or name in _secrets(evidence, ref):
            continue
        synced = _synced(evidence)
        if name in synced:
            continue  # the vso rules report why it is missing
        better = next(iter(synced), "")
        pattern = f'secrets? "{re.escape(name)}" not found'
        log = list(recent_lines(evidence, pattern, "redis-operator"))
        yield Symptom(
            resource=ref,
            message=f'secrets "{name}" not found: auth.secretPath references it for the password'
            f"{f'; the Secret synced from Vault is {better}' if better else ''}.",
            remediation="Reference the Secret that is synced from Vault "
            "(vso.secrets.redis.k8sSecretName), or create a Secret with the key `password`.",
            command=patch(ref, better, *PATH)
            if better
            else f"kubectl create secret generic {shell.name(name)} -n "
            f"{shell.label(ref.namespace)} "
            "--from-file=password=/dev/stdin",
            evidence=(f"spec.auth.secretPath: {name}", *quoted(log, 2)),
        )


def _secrets(evidence: Evidence, ref: Ref) -> set[str]:
    return {ref_of(item).name for item in evidence.all("Secret", ref.namespace)}


def _synced(evidence: Evidence) -> list[str]:
    """The names of the Secrets with a Redis password that are synced from Vault."""
    return [
        rotation.read_from(evidence, _destination(item)).name
        for item in evidence.all("VaultStaticSecret")
        if "REDIS_PASSWORD" in templates(item).get("password", "")
    ]


def _destination(item: Body) -> Ref:
    return Ref("Secret", text(item, "spec", "destination", "name"), ref_of(item).namespace)


RULE = Rule(
    rule_id="redis-auth-secret-missing",
    title="the RedisFailover's auth.secretPath references a Secret that does not exist",
    find=find,
    link="https://github.com/spotahome/redis-operator#enabling-redis-auth",
)
