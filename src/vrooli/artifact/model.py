"""The record of an artifact. docs/interface.md documents its JSON; fields are only added."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vrooli.errors import UsageError

# The record's name in the artifact, and the specification's names of its folders.
RECORD = "artifact.json"
CHARTS = "k8s-chart-packages"
VALUES = "helm-value-files"
IMAGES = "images"
# The version of the record's format; other versions cannot be read.
FORMAT = 1
# Semantic Versioning 2.0.0 (https://semver.org) without build metadata: a version becomes an
# image's tag, which cannot contain the "+".
_NUMBER = r"(?:0|[1-9][0-9]*)"
_PART = rf"(?:{_NUMBER}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
SEMVER = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PART}(?:\.{_PART})*)?")
# The longest tag that the OCI distribution specification allows, characters.
MAX_TAG_LENGTH = 128


class Model(BaseModel):
    """An immutable model that rejects unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ArtifactFile(Model):
    """One file of an artifact."""

    sha256: str = Field(description="the SHA-256 of its content, hexadecimal")
    size: int = Field(description="its size, bytes", ge=0)


class ArtifactChart(Model):
    """The packaged chart."""

    name: str = Field(description="the chart's name")
    version: str = Field(description="the chart's own version")
    package: str = Field(description="its package, below the artifact")


class ArtifactSource(Model):
    """The source of an artifact."""

    revision: str | None = Field(description="the Git commit, or null outside of a repository")
    modified: bool = Field(description="whether files were changed since that commit")
    time: datetime = Field(description="the commit's time, which the packed files carry, UTC")


class ArtifactImage(Model):
    """The image of one service, built from the same source."""

    service: str = Field(description="server, jobs or ui")
    references: tuple[str, ...] = Field(description="its names, as the environments' values say")
    digest: str | None = Field(description="its manifest's digest; null when it wasn't built")
    archive: str | None = Field(description="the OCI archive that holds it, or null")
    # Omitted if empty, so that the checksums of records without it remain valid.
    pushed: dict[str, str] = Field(
        default_factory=dict,
        exclude_if=lambda pushed: not pushed,
        description="the digest that it has in its registry, by name; not there unless pushed",
    )


class Artifact(Model):
    """The record of an artifact, artifact.json."""

    format: int = Field(default=FORMAT, description="how to read it: 1")
    version: str = Field(description="the version of the services")
    tagged: bool = Field(description="whether the version was written into the values, as tags")
    chart: ArtifactChart = Field(description="the packaged chart")
    source: ArtifactSource = Field(description="what it was made from")
    environments: dict[str, str] = Field(description="each environment's values file")
    # Omitted if empty, so that the checksums of records without it remain valid.
    additional_values: tuple[str, ...] = Field(
        default=(),
        exclude_if=lambda paths: not paths,
        description="values files of every environment, each of which overrides the previous one "
        "and the environment's; not there without --values",
    )
    images: tuple[ArtifactImage, ...] = Field(description="the images of server, jobs and ui")
    files: dict[str, ArtifactFile] = Field(description="every other file, by its path")
    checksum: str = Field(default="", description="the SHA-256 of this record without this field")

    @model_validator(mode="after")
    def _only_inside(self) -> Artifact:
        paths = [*self.files, self.chart.package, *self.environments.values()]
        paths += self.additional_values
        paths += [image.archive for image in self.images if image.archive is not None]
        for path in paths:
            pure = PurePosixPath(path)
            if not pure.parts or pure.is_absolute() or ".." in pure.parts or str(pure) != path:
                raise ValueError(f"{path!r} is not a path below the artifact")
        return self

    def values_files(self, environment: str) -> tuple[str, ...]:
        """The values files of an environment; each overrides the previous ones."""
        return (self.environments[environment], *self.additional_values)

    def sealed(self) -> Artifact:
        """A copy of the record with its checksum."""
        unsealed = self.model_copy(update={"checksum": ""})
        digest = hashlib.sha256(unsealed.model_dump_json().encode()).hexdigest()
        return self.model_copy(update={"checksum": digest})

    def text(self) -> str:
        """The record as JSON; the same content gives the same bytes."""
        return self.sealed().model_dump_json(indent=2) + "\n"


def read(folder: Path) -> Artifact:
    """The record of the artifact in a folder.

    Raises:
        UsageError: There is no record, or it cannot be read.
    """
    path = folder / RECORD
    advice = "Use a folder that `vrooli build` created, or build the artifact again."
    try:
        artifact = Artifact.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise UsageError(
            f"There is no artifact in {folder}: {RECORD} was not found.", advice
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "its text"
        reason = first["msg"].removeprefix("Value error, ")
        raise UsageError(
            f"{path} is not a valid artifact record: {where}: {reason}.", advice
        ) from error
    if artifact.format != FORMAT:
        raise UsageError(
            f"{path} has the format {artifact.format}, this program reads {FORMAT}.",
            "Use the vrooli that built it.",
        )
    return artifact


def locate(path: Path) -> Path:
    """The artifact's folder, from that folder or the version's folder that contains it."""
    inner = folder_of(path)
    return inner if not (path / RECORD).exists() and (inner / RECORD).exists() else path


def folder_of(version_folder: Path) -> Path:
    """The path of the artifact in a version's folder, as the specification defines it."""
    return version_folder / "artifacts"


def check_version(version: str) -> str:
    """Validate a version.

    Raises:
        UsageError: It is not a semantic version, or cannot be an image's tag.
    """
    if not SEMVER.fullmatch(version) or len(version) > MAX_TAG_LENGTH:
        raise UsageError(
            f"{version!r} is not a valid version.",
            "Use MAJOR.MINOR.PATCH, such as 1.2.3 or 1.2.3-rc.1, without a leading v and without "
            f"+build: it becomes an image's tag, which has at most {MAX_TAG_LENGTH} characters.",
        )
    return version


def to_utc(seconds: int) -> datetime:
    """A time in seconds since the epoch, in the record's format."""
    return datetime.fromtimestamp(seconds, UTC)
