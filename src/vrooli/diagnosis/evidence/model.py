"""The evidence of a release and its dependencies, which rules read. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from vrooli.chart.manifest import Manifest
from vrooli.kube.events import Event
from vrooli.kube.objects import (
    Body,
    Ref,
    creation_time,
    dig,
    is_deleted,
    version_of,
)
from vrooli.kube.snapshot import Snapshot
from vrooli.release.model import Revision
from vrooli.secrets.names import Names

# Stands for the namespaces that are not read completely.
OTHER_NAMESPACES = "*"


@dataclass(frozen=True, order=True)
class LogSource:
    """The log of a container, of its current or its previous run."""

    namespace: str
    pod: str
    container: str
    previous: bool = False

    def __str__(self) -> str:
        run = " (before its restart)" if self.previous else ""
        return f"{self.pod}/{self.container}{run}"


@dataclass(frozen=True)
class SecretFacts:
    """The facts about a Secret without its values.

    Attributes:
        type: Its type.
        lengths: Each key with its value's length, bytes.
        trimmed: The keys whose values have leading or trailing white space.
        expires: When each certificate in it expires, by key.
        marks: A keyed hash of each value, by key: equal values have equal hashes within one run,
            and the hashes reveal nothing else.
        changed: When a value was last changed; None if unknown.
        problems: Why a consumer cannot use the value of a key, by key; never the value.
    """

    type: str = ""
    lengths: Mapping[str, int] = field(default_factory=dict)
    trimmed: frozenset[str] = frozenset()
    expires: Mapping[str, datetime] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict, repr=False)
    changed: datetime | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The result of a probe.

    Attributes:
        probe: The name of the probe, such as vault-health.
        about: The probed object.
        text: The response.
        ok: Whether the probe ran and got a response.
    """

    probe: str
    about: Ref
    text: str
    ok: bool = True


@dataclass(frozen=True, kw_only=True)
class Evidence(Snapshot):
    """The evidence of a release, all read at about the same time.

    Attributes:
        release: The release's name; `namespace` is its namespace, and `objects` are those of the
            namespace, the operators' and the cluster's own.
        now: When it was read.
        logs: The last lines of logs, by container.
        manifests: The release's objects in Helm's record, including hooks; empty without a release.
        helm: Helm's revision.
        names: The names of the release's Secrets.
        secrets: The facts about Secrets, without their values.
        answers: The results of the probes.
        hidden: The kinds that could not be read, each with its namespace; "" is all namespaces, "*"
            those that are not read completely.
        closed: The kinds of access to pods that are denied, each with its namespace and the reason.
    """

    release: str
    now: datetime
    logs: Mapping[LogSource, Sequence[str]] = field(default_factory=dict)
    manifests: Sequence[Manifest] = ()
    helm: Revision = field(default_factory=Revision)
    names: Names = field(default_factory=Names)
    secrets: Mapping[Ref, SecretFacts] = field(default_factory=dict)
    answers: Sequence[Answer] = ()
    hidden: Collection[tuple[str, str]] = frozenset()
    closed: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def is_readable(self, kind: str, namespace: str | None = None) -> bool:
        """Whether a kind was read in a namespace, so that an empty list means that none exist."""
        return kind in self.objects and not self.is_hidden(kind, namespace)

    def is_hidden(self, kind: str, namespace: str | None = None) -> bool:
        """Whether a kind could not be read in the release's namespace, or in the given one."""
        where = self.namespace if namespace is None else namespace
        return (kind, where) in self.hidden or (kind, "") in self.hidden

    def may(self, access: str, namespace: str | None = None) -> bool:
        """Whether this user has a kind of access to the pods of a namespace."""
        where = self.namespace if namespace is None else namespace
        return (access, where) not in self.closed

    @cached_property
    def current(self) -> Sequence[tuple[Ref, Body]]:
        """The release's pods with their workloads, without outdated pods."""
        pods = [(self.owner(pod), pod) for pod in self.all("Pod") if not is_deleted(pod)]
        newest = dict(sorted(pods, key=lambda item: creation_time(item[1])))
        return [(owner, pod) for owner, pod in pods if version_of(pod) == version_of(newest[owner])]

    def lines(
        self, pattern: str, namespace: str | None = None, pods: str = ""
    ) -> Iterator[tuple[LogSource, str]]:
        """The log lines that match, with their sources.

        Args:
            pattern: A regular expression.
            namespace: The namespace of the pods; None for the release's namespace.
            pods: A prefix of the pods' names.
        """
        regex = re.compile(pattern)
        where = self.namespace if namespace is None else namespace
        for source, lines in self.logs.items():
            if source.namespace == where and source.pod.startswith(pods):
                yield from ((source, line) for line in lines if regex.search(line))

    def answer(self, probe: str, about: Ref | None = None) -> Answer | None:
        """The result of a probe; None if it did not run."""
        answers = (item for item in self.answers if item.probe == probe)
        return next((item for item in answers if about is None or item.about == about), None)

    def manifests_of(self, kind: str) -> list[Manifest]:
        """The release's objects of a kind in Helm's record, without hooks."""
        return [item for item in self.manifests if item.kind == kind and not item.is_hook]


def is_recent(event: Event, now: datetime, within_s: float) -> bool:
    """Whether an event is recent; an event without a time counts as recent."""
    return event.last is None or (now - event.last).total_seconds() <= within_s


def replicas_of(body: Body, default: int = 1) -> int:
    """The number of replicas that a workload requests."""
    replicas = dig(body, "spec", "replicas")
    return replicas if isinstance(replicas, int) else default
