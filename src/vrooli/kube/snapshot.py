"""The objects of a cluster at one moment, with indexes. No I/O here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from vrooli.kube import events as kube_events
from vrooli.kube.events import Event
from vrooli.kube.objects import (
    Body,
    Ref,
    is_deleted,
    items,
    labels,
    ref_of,
    selects,
    text,
    version_of,
)
from vrooli.kube.status import has_ended
from vrooli.kube.unavailable import Unavailable


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Objects as they were at one moment.

    Attributes:
        namespace: The namespace that is meant where none is named; empty means all of them.
        objects: The objects of each kind, of any namespace. A kind without objects has an entry
            if it was read.
        events: The events, oldest first.
        unavailable: What could not be read.
        places: The kinds that were read, each with its namespace ("" is all of them).
    """

    namespace: str = ""
    objects: Mapping[str, Sequence[Body]] = field(default_factory=dict)
    events: Sequence[Event] = ()
    unavailable: Sequence[Unavailable] = ()
    places: Collection[tuple[str, str]] = frozenset()

    @classmethod
    def of(
        cls,
        bodies: Iterable[Body],
        namespace: str = "",
        unavailable: Sequence[Unavailable] = (),
    ) -> Self:
        """A snapshot of these objects, Events among them."""
        objects: dict[str, list[Body]] = {}
        for body in bodies:
            objects.setdefault(text(body, "kind"), []).append(body)
        return cls(
            namespace=namespace,
            objects=objects,
            events=kube_events.parse_events(objects.get("Event", ())),
            unavailable=unavailable,
        )

    def all(self, kind: str, namespace: str | None = None) -> list[Body]:
        """The objects of a kind.

        Args:
            kind: The kind.
            namespace: Only of this namespace, and of none; None is the snapshot's own, "" is all.
        """
        where = self.namespace if namespace is None else namespace
        bodies = self.objects.get(kind, ())
        return [body for body in bodies if not where or _namespace(body) in (where, "")]

    def get(self, ref: Ref) -> Body | None:
        """One object by its reference."""
        return self._by_ref.get(ref)

    def find(self, kind: str, name: str, namespace: str | None = None) -> Body | None:
        """One object by kind and name, in a namespace as `all` takes it, or in none."""
        where = self.namespace if namespace is None else namespace
        if (body := self._by_ref.get(Ref(kind, name, where))) is not None:
            return body
        return next((item for item in self.all(kind, where) if ref_of(item).name == name), None)

    def list_error(self, kind: str, namespace: str | None = None) -> str:
        """Why a kind could not be listed in a namespace; empty if it could."""
        where = self.namespace if namespace is None else namespace
        errors = (item.reason for item in self.unavailable if item.place == (kind, where))
        return next(errors, "")

    def pods(
        self, selector: Mapping[str, str] | None = None, namespace: str | None = None
    ) -> list[Body]:
        """The pods that are not being deleted, those that have ended included.

        Args:
            selector: Labels that they have; None takes every pod, an empty selector none.
            namespace: As `all` takes it.
        """
        return [
            pod
            for pod in self.all("Pod", namespace)
            if (selector is None or selects(selector, labels(pod))) and not is_deleted(pod)
        ]

    def active_pods(
        self, selector: Mapping[str, str] | None = None, namespace: str | None = None
    ) -> list[Body]:
        """The pods that are not being deleted and have not ended, as `pods` takes them.

        A pod that was evicted keeps its labels: it counts for nothing that its workload does.
        """
        return [pod for pod in self.pods(selector, namespace) if not has_ended(pod)]

    def owner(self, body: Body) -> Ref:
        """The workload of a pod, a Deployment for its ReplicaSets' pods; itself if it has none."""
        ref = ref_of(body)
        owners = items(body, "metadata", "ownerReferences")
        if not owners:
            return ref
        above = Ref(text(owners[0], "kind"), text(owners[0], "name"), ref.namespace)
        if above.kind == "ReplicaSet":
            version = version_of(body)
            return Ref("Deployment", above.name.removesuffix(f"-{version}"), ref.namespace)
        return above

    def pods_of(self, workload: Ref) -> list[Body]:
        """The pods of a workload that are not being deleted."""
        return self._pods_by_owner.get(workload, [])

    def events_of(self, ref: Ref, *reasons: str) -> list[Event]:
        """The events about an object, the newest last; of these reasons only, if any are given."""
        events = self._events_by_ref.get(ref, [])
        return [item for item in events if not reasons or item.reason in reasons]

    @cached_property
    def _by_ref(self) -> Mapping[Ref, Body]:
        return {
            Ref(kind, ref_of(body).name, _namespace(body)): body
            for kind, bodies in self.objects.items()
            for body in bodies
        }

    @cached_property
    def _pods_by_owner(self) -> Mapping[Ref, list[Body]]:
        pods: dict[Ref, list[Body]] = {}
        for pod in self.objects.get("Pod", ()):
            if not is_deleted(pod):
                pods.setdefault(self.owner(pod), []).append(pod)
        return pods

    @cached_property
    def _events_by_ref(self) -> Mapping[Ref, list[Event]]:
        events: dict[Ref, list[Event]] = {}
        for item in self.events:
            events.setdefault(item.about, []).append(item)
        return events


def _namespace(body: Body) -> str:
    return text(body, "metadata", "namespace")
