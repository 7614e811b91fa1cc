"""Redis refuses the password of its Secret, or a client that has an older one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vrooli.diagnosis import redis_state
from vrooli.diagnosis.evidence import Evidence, LogSource
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.objects import Body, Ref, born, container_states, labels, text
from vrooli.diagnosis.redis_state import Told
from vrooli.diagnosis.said import lately, quoted
from vrooli.release.readiness import REDIS_NAME

OPERATOR = "redis-operator"
WORDS = r"WRONGPASS|NOAUTH|invalid username-password pair"
# Where a container's runs are told of: one that ended has the settings of then.
RUNS = (("state", "running"), ("state", "terminated"), ("lastState", "terminated"))
Line = tuple[LogSource, str]


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each failover with a Redis that refuses its own password, and each client that is refused."""
    for failover, _ in redis_state.failovers(evidence):
        redis = redis_state.told(evidence, failover, "redis")
        refusing = [item for item in redis if "WRONGPASS" in item.text or "NOAUTH" in item.text]
        by_operator = lately(evidence, WORDS, OPERATOR)
        newer = [line for line in by_operator if failover.name in line[1]]
        older: list[Line] = []
        takes_its_own = bool(redis) and all("role:" in item.text for item in redis)
        for line in lately(evidence, WORDS):
            is_older = takes_its_own and _is_older(evidence, line[0], redis)
            (older if is_older else newer).append(line)
        if refusing or (redis and newer):
            yield _redis(failover, refusing, redis, newer)
        elif older:
            yield from _clients(evidence, older)


def _redis(
    failover: Ref, refusing: Sequence[Told], redis: Sequence[Told], logs: list[Line]
) -> Symptom:
    words = refusing[0].text.strip().splitlines()[0] if refusing else "WRONGPASS"
    # A replica takes over from the master that goes last.
    turns = sorted(refusing or redis, key=lambda item: (item.is_master, item.ref.name))
    names = [item.ref.name for item in turns]
    order = f": {', '.join(names)}, each once the one before is ready" if len(names) > 1 else ""
    return Symptom(
        about=failover,
        found=f"it refuses the password of its Secret ({words}): Redis runs with another one "
        "than its clients are given.",
        remedy="A Redis reads its password when it starts: start it anew, one pod after the "
        f"other{order}. Its data stay where persistence.redis is enabled.",
        command=f"kubectl delete pod {names[0]} -n {failover.namespace}",
        evidence=(
            *(f"{item.ref.name}: {item.text.strip().splitlines()[0]}" for item in refusing),
            *quoted(logs, 2),
        ),
    )


def _clients(evidence: Evidence, logs: Sequence[Line]) -> Iterator[Symptom]:
    """Each workload that was given an older password than Redis has."""
    said: dict[Ref, list[Line]] = {}
    for line in logs:
        pod = evidence.get(Ref("Pod", line[0].pod, line[0].namespace))
        about = evidence.owner(pod) if pod else Ref("Pod", line[0].pod, line[0].namespace)
        said.setdefault(about, []).append(line)
    for about, lines in said.items():
        restarts = about.kind in ("Deployment", "StatefulSet")
        name = lines[-1][0].pod
        yield Symptom(
            about=about,
            found="Redis refuses its password (WRONGPASS, NOAUTH), and every Redis takes the one "
            "that it was given itself: this client has an older one, or none.",
            remedy="A client reads the password when it starts: start it anew. If it is refused "
            "again, see that its settings name the Secret of this Redis.",
            command=f"kubectl rollout restart {about.words}"
            if restarts
            else f"kubectl delete pod {name} -n {about.namespace}",
            evidence=quoted(lines, 2),
        )


def _is_older(evidence: Evidence, source: LogSource, redis: Sequence[Told]) -> bool:
    """Whether a client was given its password before a Redis was, as far as that is known.

    The other way round it is Redis that hasn't heard of a change yet. Redis itself is no client.
    """
    pod = evidence.get(Ref("Pod", source.pod, source.namespace))
    if pod is None:
        return True
    if REDIS_NAME in labels(pod):
        return False
    return _began(pod, source.container) < max(_began(item.pod, "redis") for item in redis)


def _began(pod: Body, container: str) -> str:
    """When a container was given its settings: it is at each start."""
    times = (
        text(item, *run, "startedAt")
        for item in container_states(pod)
        if item.get("name") == container
        for run in RUNS
    )
    return max(filter(None, times), default=born(pod))


RULE = Rule(
    name="redis-wrong-password",
    title="`AUTH failed: WRONGPASS`, `NOAUTH Authentication required.`",
    find=find,
    link="https://redis.io/docs/latest/commands/auth/",
)
