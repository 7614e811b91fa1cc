"""The one reader of Helm's records of a release: its Secrets, read through the Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC
from functools import cached_property
from typing import Any

from vrooli.chart import manifest
from vrooli.chart import values as chart_values
from vrooli.chart.manifest import Manifest
from vrooli.errors import PrerequisiteError
from vrooli.kube import ApiError, Kube
from vrooli.kube.objects import Body, items, mapping, number, text
from vrooli.kube.objects import labels as labels_of
from vrooli.kube.times import parse_time
from vrooli.release.model import DEPLOYED, Release, Revision, secret_name
from vrooli.release.records import encoding, metadata
from vrooli.release.records.metadata import RevisionMetadata

# The type of Helm's Secrets; there is one Secret for each revision.
TYPE = "helm.sh/release.v1"
# Parsing takes about 1 s for each MB and blocks the event loop, characters.
LARGEST_MANIFEST = 2 * 1024 * 1024


@dataclass(frozen=True)
class ReleaseRecord:
    """Helm's record of one revision.

    Attributes:
        revision: Its number, status, chart, time and description.
        namespace: The release's namespace.
        documents: The revision's objects as YAML, hooks last; only the newest record has them.
        labels: The labels of its Secret.
        values: The revision's values, the chart's own included; only the newest record has them.
        error: Why the record can't be read; empty if it was read.
    """

    revision: Revision
    namespace: str = ""
    documents: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    error: str = ""

    @cached_property
    def manifests(self) -> tuple[Manifest, ...]:
        """The revision's objects, hooks included."""
        return tuple(
            item for document in self.documents for item in manifest.parse(document, self.namespace)
        )

    @property
    def metadata(self) -> RevisionMetadata:
        """What vrooli has stored of the revision in the Secret's labels."""
        return metadata.parse(self.labels)

    def limited_manifests(self) -> tuple[Manifest, ...]:
        """Parse the objects only if they are few enough to parse at once.

        Raises:
            ValueError: They have more than ``LARGEST_MANIFEST`` characters.
        """
        if (size := sum(map(len, self.documents))) > LARGEST_MANIFEST:
            raise ValueError(f"its objects take {size} characters")
        return self.manifests


async def fetch_record(
    kube: Kube, release: Release, number: int | None = None
) -> ReleaseRecord | None:
    """Fetch the record of a revision, by default of the newest one that can be read.

    Returns:
        None if there is no such record.

    Raises:
        PrerequisiteError: The permission to read Secrets is missing.
    """
    try:
        if number is not None:
            return await _fetch(kube, release, number)
        numbers = [int(item["version"]) for item in await fetch_labels(kube, release)]
        for newest in sorted(numbers, reverse=True):
            record = await _fetch(kube, release, newest)
            if record is not None:
                return record
    except ApiError as error:
        raise _failure(release, error) from error
    return None


async def _fetch(kube: Kube, release: Release, number: int) -> ReleaseRecord | None:
    secret = await kube.get("v1", "Secret", secret_name(release.name, number), release.namespace)
    record = parse_record(secret, release.namespace) if secret is not None else None
    return record if record is not None and not record.error else None  # Helm skips them, too


async def fetch_records(kube: Kube, release: Release) -> list[ReleaseRecord]:
    """Fetch all records of a release that can be read, oldest first.

    Raises:
        PrerequisiteError: The permission to read Secrets is missing.
    """
    try:
        secrets = await kube.list("v1", "Secret", release.namespace, _selector(release))
    except ApiError as error:
        raise _failure(release, error) from error
    records = (parse_record(secret, release.namespace) for secret in secrets)
    return sorted(
        (record for record in records if not record.error),
        key=lambda record: record.revision.number,
    )


async def fetch_revision(kube: Kube, release: Release) -> Revision | None:
    """Fetch the newest revision; None if there is no such release."""
    record = await fetch_record(kube, release)
    return record.revision if record is not None else None


async def fetch_revisions(kube: Kube, release: Release) -> list[Revision]:
    """Fetch all revisions, oldest first."""
    return [record.revision for record in await fetch_records(kube, release)]


async def fetch_manifests(kube: Kube, release: Release) -> tuple[Manifest, ...]:
    """Fetch the objects of the newest revision, hooks included; none if there is no release."""
    record = await fetch_record(kube, release)
    return record.manifests if record is not None else ()


async def fetch_labels(kube: Kube, release: Release) -> list[dict[str, str]]:
    """Fetch the labels of a release's records, without their contents."""
    secrets = await kube.list(
        "v1", "Secret", release.namespace, _selector(release), names_only=True
    )
    return [body["metadata"]["labels"] for body in secrets]


async def fetch_deployed_manifests(
    kube: Kube, release: Release, newest: ReleaseRecord | None
) -> tuple[Manifest, ...]:
    """Fetch the objects of the last deployed revision, if that is not the newest one.

    Helm upgrades from the last deployed revision and deletes its objects that the new one lacks.
    """
    if newest is None or newest.revision.status == DEPLOYED:
        return ()
    records = await fetch_records(kube, release)
    deployed = [item for item in records if item.revision.status == DEPLOYED]
    return deployed[-1].manifests if deployed else ()


async def is_newest(kube: Kube, release: Release, record: ReleaseRecord) -> bool:
    """Whether a record is still the newest and unchanged; only labels are fetched."""
    labels = await fetch_labels(kube, release)
    newest: dict[str, str] = max(labels, key=lambda item: int(item["version"]), default={})
    revision = record.revision
    return (newest.get("version"), newest.get("status")) == (str(revision.number), revision.status)


def _selector(release: Release) -> str:
    return f"owner=helm,name={release.name}"


def _failure(release: Release, error: ApiError) -> ApiError | PrerequisiteError:
    if not error.is_forbidden:
        return error
    return PrerequisiteError(
        f"This kubeconfig may not read Helm's records of {release}: {error.message}", error.advice
    )


def parse_records(secrets: Iterable[Body], release: str, namespace: str) -> list[ReleaseRecord]:
    """Parse the records of a release among Secrets, oldest first."""
    return in_order(
        parse_record(secret, namespace)
        for secret in secrets
        if text(secret, "type") == TYPE and labels_of(secret).get("name") == release
    )


def parse_chart_name(secret: Body) -> str:
    """The name of a revision's chart; empty if the record can't be read."""
    try:
        return text(encoding.unpack(text(secret, "data", "release")), "chart", "metadata", "name")
    except encoding.ERRORS:
        return ""


def in_order(records: Iterable[ReleaseRecord]) -> list[ReleaseRecord]:
    """Sort records, oldest first, and keep objects and values of the newest only to save memory."""
    ordered = sorted(records, key=lambda record: record.revision.number)
    return [*(replace(record, documents=(), values={}) for record in ordered[:-1]), *ordered[-1:]]


def parse_record(secret: Body, namespace: str) -> ReleaseRecord:
    """Parse one of Helm's Secrets; if that fails, only Helm's own labels are used."""
    labels = labels_of(secret)
    try:
        content = encoding.unpack(text(secret, "data", "release"))
        values = chart_values.merge(mapping(content, "chart", "values"), mapping(content, "config"))
    except encoding.ERRORS as error:
        version = text(labels, "version")
        revision = Revision(
            int(version) if version.isdecimal() else 0, text(labels, "status") or "unknown"
        )
        reason = f"it can't be read ({type(error).__name__}: {error})"
        return ReleaseRecord(revision, namespace, labels=labels, error=reason)
    hooks = (text(hook, "manifest") for hook in items(content, "hooks"))
    documents = (text(content, "manifest"), *hooks)
    return ReleaseRecord(_parse_revision(content), namespace, documents, labels, values)


def _parse_revision(content: Mapping[str, Any]) -> Revision:
    chart = mapping(content, "chart", "metadata")
    deployed_at = parse_time(text(content, "info", "last_deployed"))
    return Revision(
        number=number(content, "version"),
        status=text(content, "info", "status"),
        chart=f"{text(chart, 'name')}-{text(chart, 'version')}",
        deployed_at=deployed_at.astimezone(UTC) if deployed_at else None,
        description=text(content, "info", "description"),
    )
