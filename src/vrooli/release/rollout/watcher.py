"""A namespace's objects, kept as they are now by watches: what everything else here reads."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence

from vrooli.chart.manifest import Manifest
from vrooli.kube import ApiError, Kube
from vrooli.release.rollout import autoscaling
from vrooli.release.rollout.readiness import Body, Seen
from vrooli.release.rollout.unavailable import Unavailable

Kind = tuple[str, str]
# What tells why others aren't ready. Who may not look at them is told less.
PODS: Kind = ("v1", "Pod")
EVENT: Kind = ("v1", "Event")
EVIDENCE: tuple[Kind, ...] = (("apps/v1", "ReplicaSet"), ("batch/v1", "Job"), EVENT)
# What the databases' operators make, which tells what became of a change. Who may not look at it
# can't know that all is well.
DATABASES = ("PostgresCluster", "RedisFailover")
OPERATED: tuple[Kind, ...] = (("apps/v1", "StatefulSet"), ("v1", "PersistentVolumeClaim"))
# Of thousands of events only these are told: what the probes said, whose pods the API server
# refuses, what PGO warns of, what Vault refuses, and for which pods a node is being made.
PROBES = "reason=Unhealthy"
CREATION = "reason=FailedCreate"
WARNINGS = "involvedObject.kind=PostgresCluster,type=Warning"
VAULTS = "VaultStaticSecret"
SCALING = tuple(f"source={name}" for name in autoscaling.AUTOSCALERS)
REFUSED = f"involvedObject.kind={VAULTS},type=Warning"


def kinds(manifests: Iterable[Manifest]) -> list[Kind]:
    """The kinds to look at, each once; pods and what operators make are the evidence for others."""
    own = [(item.api_version, item.kind) for item in manifests]
    operated = OPERATED if any(kind in DATABASES for _, kind in own) else ()
    return list(dict.fromkeys([PODS, *own, *operated]))


def selectors(kinds: Iterable[Kind]) -> list[str]:
    """The events that tell something about objects of these kinds, by field selectors."""
    names = {name for _, name in kinds}
    return [
        PROBES,
        CREATION,
        *SCALING,
        *([WARNINGS] if "PostgresCluster" in names else []),
        *([REFUSED] if VAULTS in names else []),
    ]


async def snapshot(kube: Kube, namespace: str, wanted: Iterable[Kind]) -> Seen:
    """A namespace's objects of some kinds as they are now, by one look at each kind at once."""
    listed = list(wanted)
    looks = [
        (kind, fields)
        for kind in listed
        for fields in (selectors(listed) if kind == EVENT else [None])
    ]
    asked = [kind for kind, _ in looks]
    answers = await asyncio.gather(*(_listed(kube, *look, namespace) for look in looks))
    return Seen(
        {
            (kind, body["metadata"]["name"]): body
            for (_, kind), answer in zip(asked, answers, strict=True)
            if not isinstance(answer, Unavailable)
            for body in answer
        },
        tuple(
            answer
            for kind, answer in zip(asked, answers, strict=True)
            if isinstance(answer, Unavailable) and kind in OPERATED
        ),
    )


async def _listed(
    kube: Kube, kind: Kind, fields: str | None, namespace: str
) -> Sequence[Body] | Unavailable:
    try:
        return await kube.list(*kind, namespace, fields=fields)
    except ApiError as error:
        if _is_optional(kind, error):
            return Unavailable.of(f"{kind[1]} in {namespace}", error)
        raise


def _is_optional(kind: Kind, error: ApiError) -> bool:
    """Whether the rest can be judged without a kind."""
    return error.is_forbidden and kind in (*EVIDENCE, *OPERATED)


class Watched:
    """A namespace's objects of some kinds. Enter it, then ``seen`` is what was seen last.

    Attributes:
        changed: Set at each change; whoever waits for it clears it.
    """

    def __init__(self, kube: Kube, namespace: str) -> None:
        self._kube, self._namespace = kube, namespace
        self._objects: dict[tuple[str, str], Body] = {}
        self._unavailable: Sequence[Unavailable] = ()
        # What it has in order is kept until the next change.
        self._seen: Seen | None = None
        self._watching: dict[Kind, asyncio.Task[None]] = {}
        self._noted: set[tuple[str, str]] = set()
        self.changed = asyncio.Event()

    @property
    def seen(self) -> Seen:
        """The objects as they were seen last."""
        if self._seen is None:
            self._seen = Seen(self._objects, self._unavailable)
        return self._seen

    async def look(self) -> Seen:
        """A fresh look at all but the events: a watch that was interrupted may miss an end."""
        self._noted.clear()
        kinds = [kind for kind in self._watching if kind != EVENT]
        fresh = await snapshot(self._kube, self._namespace, kinds)
        found = dict(fresh.objects)
        found |= {key: body for key, body in self._objects.items() if key[0] == EVENT[1]}
        for key in self._noted:  # what a watch has told meanwhile is newer
            found.pop(key, None)
            if key in self._objects:
                found[key] = self._objects[key]
        self._objects, self._unavailable, self._seen = found, fresh.unavailable, None
        return self.seen

    async def follow(self, group: asyncio.TaskGroup, wanted: Iterable[Kind]) -> None:
        """Watch these kinds too, in a task group, and look at all once before it returns."""
        for kind in wanted:
            if kind not in self._watching:
                self._watching[kind] = group.create_task(self._watch(kind))
        # Before the first look nothing has been seen, which isn't the same as absent.
        await self.look()

    def end(self) -> None:
        """Watch no more."""
        for task in self._watching.values():
            task.cancel()

    async def _watch(self, kind: Kind) -> None:
        chosen = selectors(self._watching) if kind == EVENT else [None]
        async with asyncio.TaskGroup() as group:
            for fields in chosen:
                group.create_task(self._watch_some(kind, fields))

    async def _watch_some(self, kind: Kind, fields: str | None) -> None:
        try:
            watching = self._kube.watch(*kind, self._namespace, fields=fields)
            async with contextlib.aclosing(watching) as events:
                async for event, body in events:
                    self._note(kind[1], event, body)
        except ApiError as error:
            if not _is_optional(kind, error):
                raise

    def _note(self, kind: str, event: str, body: Body) -> None:
        key = (kind, body["metadata"]["name"])
        if event == "DELETED":
            self._objects.pop(key, None)
        else:
            self._objects[key] = body
        self._seen = None
        self._noted.add(key)
        self.changed.set()
