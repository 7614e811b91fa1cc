"""What Helm has noted of a release, and the one way to call Helm on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import helm_python

from vrooli.chart import manifest
from vrooli.chart.manifest import Manifest
from vrooli.environments import Environment
from vrooli.errors import EnvironmentLackError, VrooliError
from vrooli.kube import Kube, forbidden
from vrooli.redaction import Redactor

T = TypeVar("T")

# Helm's states while it works; left behind by a Helm that was killed.
PENDING = ("pending-install", "pending-upgrade", "pending-rollback")
# Helm's state of the revision that holds; it says so of one that never became ready, too.
DEPLOYED = "deployed"
# The label of one that never became ready, with its number: Helm gives labels to later notes, too.
FAILED = "vrooli.com/failed"


@dataclass(frozen=True)
class Release:
    """A release: which, and in which cluster.

    Attributes:
        name: Its name.
        namespace: Its namespace.
        kubeconfig: The cluster's file.
    """

    name: str
    namespace: str
    kubeconfig: Path

    def __str__(self) -> str:
        """For people."""
        return f"{self.name} in namespace {self.namespace}"

    @classmethod
    def of(cls, environment: Environment, kubeconfig: Path) -> Release:
        """An environment's release."""
        return cls(environment.release, environment.namespace, kubeconfig)


@dataclass(frozen=True)
class Revision:
    """One revision of a release.

    Attributes:
        number: 1 for the first.
        status: Helm's word: deployed, failed, pending-install, …
        chart: The chart and its version.
        deployed_at: When Helm began with it.
        description: What Helm says of it.
    """

    number: int
    status: str
    chart: str
    deployed_at: datetime
    description: str = ""

    @property
    def is_pending(self) -> bool:
        """Whether Helm hasn't ended it."""
        return self.status in PENDING


@dataclass(frozen=True)
class Note:
    """What Helm has noted of a revision.

    Attributes:
        revision: Which, and how it stands.
        manifests: Its objects, hooks included.
    """

    revision: Revision
    manifests: tuple[Manifest, ...]


async def last(release: Release) -> Revision | None:
    """The newest revision, or None when there is no such release."""
    found = await revisions(release)
    return found[-1] if found else None


async def revisions(release: Release) -> list[Revision]:
    """Every revision that Helm still knows, oldest first."""
    try:
        found = await call(release, lambda helm: helm.history(release.name))
    except helm_python.HelmNotFoundError:
        return []
    except helm_python.HelmError as error:
        raise failure(release, "read its notes of", error) from error
    return sorted((_revision(item) for item in found), key=lambda revision: revision.number)


async def manifests(release: Release, number: int | None = None) -> tuple[Manifest, ...]:
    """The objects of a revision (the newest one), hooks included, as Helm noted them."""
    try:
        return (await _note(release, number)).manifests
    except helm_python.HelmError as error:
        raise failure(release, "read its notes of", error) from error


async def deployed(release: Release, note: Note | None) -> tuple[Manifest, ...]:
    """The objects of the last deployed revision, where that isn't the newest, which is given.

    Helm upgrades from it, and deletes what is wanted no more.

    Raises:
        VrooliError: Helm's notes can't be read.
    """
    if note is None or note.revision.status == DEPLOYED:
        return ()
    found = [item for item in await revisions(release) if item.status == DEPLOYED]
    return await manifests(release, found[-1].number) if found else ()


async def is_newest(kube: Kube, release: Release, note: Note) -> bool:
    """Whether Helm has noted nothing since; asks for no more than the notes' names and labels."""
    told = await labels(kube, release)
    last: dict[str, str] = max(told, key=lambda item: int(item["version"]), default={})
    return last.get("version") == str(note.revision.number) and (
        last.get("status") == note.revision.status
    )


def secret_name(name: str, number: int) -> str:
    """The Secret in which Helm notes a revision of the release of a name."""
    return f"sh.helm.release.v1.{name}.v{number}"


async def labels(kube: Kube, release: Release) -> list[dict[str, str]]:
    """The labels of Helm's notes."""
    selector = f"owner=helm,name={release.name}"
    found = await kube.list("v1", "Secret", release.namespace, selector, names_only=True)
    return [body["metadata"]["labels"] for body in found]


async def newest(release: Release) -> Note | None:
    """Helm's newest note, or None when there is no such release.

    Raises:
        VrooliError: Helm's notes can't be read.
    """
    try:
        return await _note(release)
    except helm_python.HelmNotFoundError:
        return None
    except helm_python.HelmError as error:
        raise failure(release, "read its notes of", error) from error


async def _note(release: Release, number: int | None = None) -> Note:
    found = await call(release, lambda helm: helm.get_all(release.name, revision=number))
    summary = found["summary"]
    texts = [summary["manifest"], *(hook["manifest"] for hook in found["hooks"])]
    objects = tuple(item for text in texts for item in manifest.parse(text, release.namespace))
    return Note(_revision(summary), objects)


async def call(
    release: Release,
    act: Callable[[helm_python.Config], T],
    cancel: helm_python.HelmContext | None = None,
) -> T:
    """Call Helm beside the event loop.

    Args:
        release: Which release.
        act: What to call.
        cancel: Cancelled when the caller is, so that Helm ends its note in order.
    """

    def work() -> T:
        with helm_python.Config(
            kubeconfig_path=release.kubeconfig, namespace=release.namespace
        ) as helm:
            return act(helm)

    task = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if cancel is not None:
            cancel.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


def failure(release: Release, doing: str, error: helm_python.HelmError) -> VrooliError:
    """Helm's error as ours; the API server's answers in it quote values that it refuses."""
    said = Redactor().text(error.detail)
    if is_forbidden(error):
        return EnvironmentLackError(
            f"This kubeconfig may not {doing} {release.name} in namespace {release.namespace}: "
            f"{said}",
            forbidden.advice(error.detail),
        )
    return VrooliError(
        f"Helm could not {doing} {release.name} in namespace {release.namespace}: {said}",
        "Run the same command again; it continues where it stopped.",
    )


def is_forbidden(error: helm_python.HelmError) -> bool:
    """Whether it was a missing right that Helm met with."""
    return forbidden.is_refusal(error.detail)


def _revision(item: dict[str, Any]) -> Revision:
    return Revision(
        number=int(item["revision"]),
        status=item["status"],
        chart=f"{item['chart_name']}-{item['chart_version']}",
        deployed_at=datetime.fromisoformat(item["deployed_at"]).astimezone(UTC),
        description=str(item.get("description", "")),
    )
