"""A namespace's objects, kept as they are now by watches: what everything else here reads."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence

from vrooli.chart.manifest import Manifest
from vrooli.kube import ApiError, Kube
from vrooli.release.readiness import Body, Seen

Kind = tuple[str, str]
# What tells why others aren't ready. Who may not look at them is told less.
PODS: Kind = ("v1", "Pod")
EVENT: Kind = ("v1", "Event")
EVIDENCE: tuple[Kind, ...] = (("apps/v1", "ReplicaSet"), ("batch/v1", "Job"), EVENT)
# Of thousands of events only what the probes said is told, and what Vault refuses.
PROBES = "reason=Unhealthy"
VAULTS = "VaultStaticSecret"
REFUSED = f"involvedObject.kind={VAULTS},type=Warning"


def kinds(manifests: Iterable[Manifest]) -> list[Kind]:
    """The kinds to look at, each once; pods are the evidence for others."""
    return list(dict.fromkeys([PODS, *((m.api_version, m.kind) for m in manifests)]))


async def snapshot(kube: Kube, namespace: str, wanted: Iterable[Kind]) -> Seen:
    """A namespace's objects of some kinds as they are now, by one look at each kind at once."""
    asked = list(wanted)
    answers = await asyncio.gather(*(_listed(kube, kind, namespace) for kind in asked))
    return Seen(
        {
            (kind, body["metadata"]["name"]): body
            for (_, kind), bodies in zip(asked, answers, strict=True)
            for body in bodies
        }
    )


async def _listed(kube: Kube, kind: Kind, namespace: str) -> Sequence[Body]:
    try:
        return await kube.list(*kind, namespace)
    except ApiError as error:
        if _is_optional(kind, error):
            return ()
        raise


def _is_optional(kind: Kind, error: ApiError) -> bool:
    """Whether it is no harm not to be told of a kind."""
    return error.is_forbidden and kind in EVIDENCE


class Watched:
    """A namespace's objects of some kinds. Enter it, then ``seen`` is what was seen last.

    Attributes:
        changed: Set at each change; whoever waits for it clears it.
    """

    def __init__(self, kube: Kube, namespace: str) -> None:
        self._kube, self._namespace = kube, namespace
        self._objects: dict[tuple[str, str], Body] = {}
        # What it has in order is kept until the next change.
        self._seen: Seen | None = None
        self._watching: dict[Kind, asyncio.Task[None]] = {}
        self._noted: set[tuple[str, str]] = set()
        self.changed = asyncio.Event()

    @property
    def seen(self) -> Seen:
        """The objects as they were seen last."""
        if self._seen is None:
            self._seen = Seen(self._objects)
        return self._seen

    async def look(self) -> Seen:
        """A fresh look at all but the events: a watch that was interrupted may miss an end."""
        self._noted.clear()
        kinds = [kind for kind in self._watching if kind != EVENT]
        found = dict((await snapshot(self._kube, self._namespace, kinds)).objects)
        found |= {key: body for key, body in self._objects.items() if key[0] == EVENT[1]}
        for key in self._noted:  # what a watch has told meanwhile is newer
            found.pop(key, None)
            if key in self._objects:
                found[key] = self._objects[key]
        self._objects, self._seen = found, None
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
        told: list[str | None] = [PROBES if kind == EVENT else None]
        if kind == EVENT and any(name == VAULTS for _, name in self._watching):
            told.append(REFUSED)
        async with asyncio.TaskGroup() as group:
            for fields in told:
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
