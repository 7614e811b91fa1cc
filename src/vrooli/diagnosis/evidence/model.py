"""All that was seen of a release and of what it stands on. Rules read it; no I/O here."""

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

# Stands for the namespaces that aren't looked at as a whole.
ELSEWHERE = "*"


@dataclass(frozen=True, order=True)
class LogSource:
    """Whose log: a container's, of this run or of the one before."""

    namespace: str
    pod: str
    container: str
    previous: bool = False

    def __str__(self) -> str:
        run = " (before its restart)" if self.previous else ""
        return f"{self.pod}/{self.container}{run}"


@dataclass(frozen=True)
class SecretFacts:
    """What may be known of a Secret without its values.

    Attributes:
        type: Its type.
        lengths: Each key with its value's length, bytes.
        trimmed: The keys whose values begin or end with white space.
        expires: When each certificate in it ends, by key.
        marks: A mark for each value, by key: equal values have equal marks, in one run only, and
            nothing can be learned from them.
    """

    type: str = ""
    lengths: Mapping[str, int] = field(default_factory=dict)
    trimmed: frozenset[str] = frozenset()
    expires: Mapping[str, datetime] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Answer:
    """What a question gave that was asked in the cluster.

    Attributes:
        probe: Which question, such as vault-health.
        about: Whom it was asked of.
        text: What came back.
        ok: Whether it could be asked and was answered.
    """

    probe: str
    about: Ref
    text: str
    ok: bool = True


@dataclass(frozen=True, kw_only=True)
class Evidence(Snapshot):
    """What was seen, all of it at about one time.

    Attributes:
        release: The release's name; `namespace` is its namespace, and `objects` are those of the
            namespace, the operators' and the cluster's own.
        now: When it was looked at.
        logs: The end of logs, by container.
        manifests: The release's objects as Helm noted them, hooks too; none without a release.
        helm: What Helm has noted of it.
        secrets: What may be known of Secrets; their values are nowhere in here.
        answers: What was asked in the cluster.
        hidden: The kinds that couldn't be looked at, each with its namespace; "" is every one, "*"
            those that aren't looked at as a whole.
        closed: The ways into pods that this user may not take, each with its namespace and why.
    """

    release: str
    now: datetime
    logs: Mapping[LogSource, Sequence[str]] = field(default_factory=dict)
    manifests: Sequence[Manifest] = ()
    helm: Revision = field(default_factory=Revision)
    secrets: Mapping[Ref, SecretFacts] = field(default_factory=dict)
    answers: Sequence[Answer] = ()
    hidden: Collection[tuple[str, str]] = frozenset()
    closed: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def is_readable(self, kind: str, namespace: str | None = None) -> bool:
        """Whether a kind could be looked at in a namespace: only then does none mean none."""
        return kind in self.objects and not self.is_hidden(kind, namespace)

    def is_hidden(self, kind: str, namespace: str | None = None) -> bool:
        """Whether a kind couldn't be looked at in the release's namespace, or in another."""
        where = self.namespace if namespace is None else namespace
        return (kind, where) in self.hidden or (kind, "") in self.hidden

    def may(self, access: str, namespace: str | None = None) -> bool:
        """Whether this user may take a way into the pods of a namespace."""
        where = self.namespace if namespace is None else namespace
        return (access, where) not in self.closed

    @cached_property
    def current(self) -> Sequence[tuple[Ref, Body]]:
        """The release's pods with their workloads, without those that a newer version replaces."""
        pods = [(self.owner(pod), pod) for pod in self.all("Pod") if not is_deleted(pod)]
        newest = dict(sorted(pods, key=lambda item: creation_time(item[1])))
        return [(owner, pod) for owner, pod in pods if version_of(pod) == version_of(newest[owner])]

    def lines(
        self, pattern: str, namespace: str | None = None, pods: str = ""
    ) -> Iterator[tuple[LogSource, str]]:
        """The lines of logs that match, with whose they are.

        Args:
            pattern: What to look for, a regular expression.
            namespace: Whose logs; None is the release's namespace.
            pods: How the pods' names begin.
        """
        regex = re.compile(pattern)
        where = self.namespace if namespace is None else namespace
        for source, lines in self.logs.items():
            if source.namespace == where and source.pod.startswith(pods):
                yield from ((source, line) for line in lines if regex.search(line))

    def answer(self, probe: str, about: Ref | None = None) -> Answer | None:
        """What a question gave, or None where it wasn't asked."""
        answers = (item for item in self.answers if item.probe == probe)
        return next((item for item in answers if about is None or item.about == about), None)

    def manifests_of(self, kind: str) -> list[Manifest]:
        """The release's own objects of a kind, as Helm noted them."""
        return [item for item in self.manifests if item.kind == kind and not item.is_hook]


def is_recent(event: Event, now: datetime, within_s: float) -> bool:
    """Whether an event is so new that it may still hold; one without a time is taken for new."""
    return event.last is None or (now - event.last).total_seconds() <= within_s


def replicas_of(body: Body, default: int = 1) -> int:
    """How many pods a workload wants."""
    replicas = dig(body, "spec", "replicas")
    return replicas if isinstance(replicas, int) else default
