"""Redis rejects the password of its Secret, or a client uses an old password."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from vrooli import shell
from vrooli.diagnosis.evidence.components import redis as evidence_redis
from vrooli.diagnosis.evidence.components import rotation
from vrooli.diagnosis.evidence.components.redis import Reply
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies import redis_passwords
from vrooli.kube.objects import Body, Ref, creation_time, labels, text
from vrooli.kube.status import pod_status
from vrooli.kube.times import parse_time
from vrooli.operators.redis.names import FAILOVER_LABEL

OPERATOR = "redis-operator"
WORDS = r"WRONGPASS|NOAUTH|invalid username-password pair"
NEVER = datetime.min.replace(tzinfo=UTC)
Line = tuple[LogSource, str]


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each RedisFailover that rejects its own password, and each client that is rejected."""
    for failover, _ in evidence_redis.failovers(evidence):
        redis = evidence_redis.replies(evidence, failover, "redis")
        refusing = [item for item in redis if "WRONGPASS" in item.text or "NOAUTH" in item.text]
        by_operator = recent_lines(evidence, WORDS, OPERATOR)
        newer = [line for line in by_operator if failover.name in line[1]]
        older: list[Line] = []
        takes_its_own = bool(redis) and all("role:" in item.text for item in redis)
        for line in recent_lines(evidence, WORDS):
            is_older = takes_its_own and _is_older(evidence, line[0], redis)
            (older if is_older else newer).append(line)
        if refusing or (redis and newer):
            yield _redis(evidence, failover, refusing, redis, newer)
        elif older:
            yield from _clients(evidence, older)


def _redis(
    evidence: Evidence,
    failover: Ref,
    refusing: Sequence[Reply],
    redis: Sequence[Reply],
    logs: list[Line],
) -> Symptom:
    words = refusing[0].text.strip().splitlines()[0] if refusing else "WRONGPASS"
    remedy, command = (
        _replaced_password(redis, refusing)
        if refusing
        else _older_than_secret(evidence, failover, redis)
    )
    return Symptom(
        resource=failover,
        message=f"Redis rejects the password of its Secret ({words}): the running Redis has a "
        "different password than its clients.",
        remediation=remedy,
        command=command,
        evidence=(
            *(f"{item.ref.name}: {item.text.strip().splitlines()[0]}" for item in refusing),
            *quoted(logs, 2),
        ),
    )


def _replaced_password(redis: Sequence[Reply], refusing: Sequence[Reply]) -> tuple[str, str]:
    """Remediation if the password was changed at runtime: Redis rejects its start-up password."""
    names = [item.ref.name for item in _in_turns(refusing)]
    first = refusing[0].ref
    if len(refusing) < len(redis) or len(redis) == 1:
        return (
            "Its password was changed at runtime. Redis reads the password from the Secret at "
            f"startup: restart it{_in_order(names)}. Its data is kept if persistence.redis is "
            "enabled.",
            f"kubectl delete pod {shell.name(names[0])} -n {shell.label(first.namespace)}",
        )
    inner = 'redis-cli -e --askpass ACL SETUSER default ">$REDIS_PASSWORD"'
    return (
        "The password of every Redis was changed at runtime. Do not restart one of them: it could "
        "not replicate from a master with a different password, and that master's writes would be "
        f"lost. Set the Secret's password on each ({', '.join(names)}); the command prompts for "
        "the current password.",
        f"kubectl exec -it {shell.name(names[0])} -n {shell.label(first.namespace)} -c redis -- "
        f"sh -c '{inner}'",
    )


def _older_than_secret(
    evidence: Evidence, failover: Ref, redis: Sequence[Reply]
) -> tuple[str, str]:
    """Remediation for Redis that started with an older password than the Secret has now."""
    name = text(evidence.get(failover), "spec", "auth", "secretPath")
    secret = Ref("Secret", name, failover.namespace)
    if published := rotation.publication(evidence, secret):
        return (
            "The rotator makes every Redis accept both passwords, publishes the new one and "
            "replaces the pods one at a time. Its events show what it is waiting for. Do not "
            "restart Redis during the rotation.",
            f"kubectl describe {published.rotator.words}",
        )
    turns = [item.ref.name for item in _in_turns(redis)]
    sentinels = [item.ref for item in evidence_redis.replies(evidence, failover, "sentinel")]
    return (
        "The Secret is newer than the running Redis. Do not restart Redis yet: it could not "
        "replicate from a master with the old password, and that master's writes would be lost. "
        "First make every Redis accept both passwords with this command. Then restart the clients "
        f"(kubectl rollout restart). Then restart Redis{_in_order(turns)}. After the last restart "
        "the old password is no longer valid.",
        redis_passwords.take_both(secret, [item.ref for item in redis], sentinels),
    )


def _in_turns(redis: Sequence[Reply]) -> list[Reply]:
    """The order of restarts: replicas first, the master last."""
    return sorted(redis, key=lambda item: (item.is_master, item.ref.name))


def _in_order(names: Sequence[str]) -> str:
    if len(names) == 1:
        return ""
    return f", one pod at a time, waiting until the previous one is ready: {', '.join(names)}"


def _clients(evidence: Evidence, logs: Sequence[Line]) -> Iterator[Symptom]:
    """Yield each workload that started with an older password than Redis has."""
    by_client: dict[Ref, list[Line]] = {}
    for line in logs:
        pod = evidence.get(Ref("Pod", line[0].pod, line[0].namespace))
        about = evidence.owner(pod) if pod else Ref("Pod", line[0].pod, line[0].namespace)
        by_client.setdefault(about, []).append(line)
    for about, lines in by_client.items():
        restarts = about.kind in ("Deployment", "StatefulSet")
        name = lines[-1][0].pod
        yield Symptom(
            resource=about,
            message="Redis rejects the password of this client (WRONGPASS, NOAUTH), and every "
            "Redis accepts the password of its own Secret: the client has an old password or none.",
            remediation="A client reads the password at startup: restart it. If it is rejected "
            "again, check that its settings reference the Secret of this Redis.",
            command=f"kubectl rollout restart {about.words}"
            if restarts
            else f"kubectl delete pod {shell.name(name)} -n {shell.label(about.namespace)}",
            evidence=quoted(lines, 2),
        )


def _is_older(evidence: Evidence, source: LogSource, redis: Sequence[Reply]) -> bool:
    """Whether a client started before the newest Redis, as far as that is known.

    If the client started later, Redis has the old password. Redis pods are not clients.
    """
    pod = evidence.get(Ref("Pod", source.pod, source.namespace))
    if pod is None:
        return True
    if FAILOVER_LABEL in labels(pod):
        return False
    return _began(pod, source.container) < max(_began(item.pod, "redis") for item in redis)


def _began(pod: Body, container: str) -> datetime:
    """When a container last started, which is when it reads its settings."""
    status = pod_status(pod).container(container)
    return (status and status.last_started_at) or parse_time(creation_time(pod)) or NEVER


RULE = Rule(
    rule_id="redis-wrong-password",
    title="`AUTH failed: WRONGPASS`, `NOAUTH Authentication required.`",
    find=find,
    link="https://redis.io/docs/latest/commands/auth/",
)
