"""The ends of the logs that tell something: of what isn't well, and of who keeps it well."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from vrooli.diagnosis.evidence import Evidence, LogSource, Unseen
from vrooli.diagnosis.objects import (
    Body,
    Ref,
    container_states,
    is_ready,
    items,
    labels,
    mapping,
    number,
    ref_of,
    text,
)
from vrooli.errors import VrooliError
from vrooli.kube import Kube

# Lines of each log.
LINES = 200
# How long all of them may take, seconds.
LOGS_S = 5.0
# How many are read: of thousands of pods in trouble some tell why.
MOST = 80
# Characters of each line: what matters stands at its begin.
WIDTH = 4000
# Logs that one reason keeps out of sight are counted from so many on, not named.
NAMED = 3
# Namespaces whose pods keep a release well: their logs are always read.
KEEPERS = ("postgres-operator", "redis-operator", "vault-secrets-operator-system", "vault")
# Labels of the databases' pods, which may be in trouble while they are ready.
DATA = ("postgres-operator.crunchydata.com/cluster", "redisfailovers.databases.spotahome.com/name")


async def read(
    kube: Kube, seen: Evidence
) -> tuple[Mapping[LogSource, Sequence[str]], list[Unseen]]:
    """The logs that tell something, and those that couldn't be read."""
    return await read_of(kube, list(_sources(seen)), most=MOST, tail=LINES)


async def read_all(
    kube: Kube, seen: Evidence, *, most: int, tail: int
) -> tuple[Mapping[LogSource, Sequence[str]], list[Unseen]]:
    """Every log that there is, the most telling first."""
    pods = [pod for found in (seen.all("Pod"), seen.all("Pod", "")) for pod in found]
    others = (source for pod in pods for source in _of_pod(pod))
    sources = list(dict.fromkeys([*_sources(seen), *others]))
    return await read_of(kube, sources, most=most, tail=tail)


async def read_of(
    kube: Kube, sources: Sequence[LogSource], *, most: int, tail: int
) -> tuple[Mapping[LogSource, Sequence[str]], list[Unseen]]:
    """The ends of some logs, at most so many of them, and those that couldn't be read."""
    found: dict[LogSource, Sequence[str]] = {}
    unseen: list[Unseen] = []
    if (left := len(sources) - most) > 0:
        unseen.append(Unseen(f"{left} more logs", f"only {most} are read"))

    async def one(source: LogSource) -> None:
        lines = kube.logs(
            source.namespace,
            source.pod,
            source.container,
            tail=tail,
            previous=source.previous,
        )
        try:
            async with asyncio.timeout(LOGS_S):
                found[source] = [line[:WIDTH] async for line in lines]
        except TimeoutError:
            unseen.append(Unseen(f"log of {source}", f"no answer within {LOGS_S:.0f} s"))
        except VrooliError as error:
            unseen.append(Unseen(f"log of {source}", error.message))

    async with asyncio.TaskGroup() as group:
        for source in sources[:most]:
            group.create_task(one(source))
    return found, counted(unseen)


def counted(unseen: Sequence[Unseen]) -> list[Unseen]:
    """Logs that can't be read: those of one reason once, however many there are."""
    reasons: dict[str, list[Unseen]] = {}
    for item in unseen:
        pod = item.what.removeprefix("log of ").partition("/")[0]
        reasons.setdefault(item.why.replace(pod, "…"), []).append(item)
    found: list[Unseen] = []
    for why, alike in reasons.items():
        many = len(alike) > NAMED
        found += [Unseen(f"{len(alike)} logs, such as the {alike[0].what}", why)] if many else alike
    return found


def _sources(seen: Evidence) -> Iterator[LogSource]:
    """Whose logs are read, the most telling first."""
    keepers = [pod for namespace in KEEPERS for pod in seen.all("Pod", namespace)]
    own = seen.all("Pod")
    ailing, data, others = [], [], []
    for pod in own:
        if not is_ready(pod) and not _is_done(pod):
            ailing.append(pod)
        elif any(name in labels(pod) for name in DATA):
            data.append(pod)
        elif _restarted(pod):
            others.append(pod)
    for pod in (*keepers, *_in_turn(seen, ailing), *data, *others):
        yield from _of_pod(pod)


def _in_turn(seen: Evidence, pods: Sequence[Body]) -> Iterator[Body]:
    """A pod of each workload, then another of each: thousands of one hide none of another."""
    by_owner: dict[Ref, list[Body]] = {}
    for pod in pods:
        by_owner.setdefault(seen.owner(pod), []).append(pod)
    for turn in zip_longest(*by_owner.values()):
        yield from (pod for pod in turn if pod is not None)


def _of_pod(pod: Body) -> Iterator[LogSource]:
    ref = ref_of(pod)
    for item in container_states(pod):
        name, state = text(item, "name"), mapping(item, "state")
        if "running" in state or "terminated" in state:
            yield LogSource(ref.namespace, ref.name, name)
        if mapping(item, "lastState", "terminated"):
            yield LogSource(ref.namespace, ref.name, name, previous=True)


def _restarted(pod: Body) -> bool:
    return any(number(item, "restartCount") for item in container_states(pod))


def _is_done(pod: Body) -> bool:
    return text(pod, "status", "phase") == "Succeeded" or not items(pod, "spec", "containers")
