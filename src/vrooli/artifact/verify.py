"""Verifies an artifact against its record, byte by byte."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from vrooli.artifact import model, pack
from vrooli.artifact.model import Artifact, ArtifactChart
from vrooli.errors import UsageError

# The chart that this project deploys.
CHART = "vrooli"
# The maximum size of an unpacked chart, bytes: Helm's MaxDecompressedChartSize.
MAX_UNPACKED_BYTES = 100 * 1024**2


class Kind(StrEnum):
    """How a file differs from the record."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"


@dataclass(frozen=True)
class Difference:
    """One file that differs from the record.

    Attributes:
        path: The file, below the artifact.
        kind: How it differs.
    """

    path: str
    kind: Kind


def verify(folder: Path) -> tuple[Artifact, tuple[Difference, ...]]:
    """An artifact's record, and every file that differs from it; none if the artifact is intact.

    Raises:
        UsageError: There is no artifact, its record or its chart's package cannot be read, or it
            contains another chart.
    """
    artifact = model.read(folder)
    differences = sorted(_differences(folder, artifact), key=lambda difference: difference.path)
    if Difference(artifact.chart.package, Kind.MISSING) not in differences:
        check_package(folder / artifact.chart.package, artifact.chart)
    return artifact, tuple(differences)


def require_intact(folder: Path) -> Artifact:
    """The record of an intact artifact.

    Raises:
        UsageError: Files differ from the record; the message lists them.
    """
    artifact, differences = verify(folder)
    if differences:
        listed = ", ".join(f"{item.path} ({item.kind})" for item in differences)
        raise UsageError(
            f"The artifact in {folder} was modified after its build: {listed}.", "Build it again."
        )
    return artifact


def check_package(path: Path, expected: ArtifactChart) -> None:
    """Check that a chart's package is readable and contains the chart that the record names.

    Raises:
        UsageError: It is not, or does not.
    """
    advice = "Build the artifact again, or copy it again."
    try:
        metadata = _metadata(path)
    except (tarfile.TarError, zlib.error, EOFError, OSError, KeyError, ValueError) as error:
        raise UsageError(f"The chart's package {path} is corrupt: {error}.", advice) from error
    except yaml.YAMLError as error:
        raise UsageError(f"The chart's package {path} has a corrupt Chart.yaml.", advice) from error
    actual = (metadata.get("name"), metadata.get("version"))
    if actual[0] != CHART or expected.name != CHART:
        other_name = actual[0] if actual[0] != CHART else expected.name
        raise UsageError(
            f"The artifact's package {path} contains the chart {other_name!r}, not {CHART!r}.",
            "Use an artifact that `vrooli build` created.",
        )
    if actual != (expected.name, expected.version):
        raise UsageError(
            f"{path} contains chart version {actual[1]!r}, "
            f"but the record names {expected.version!r}.",
            advice,
        )


def _metadata(path: Path) -> dict[str, Any]:
    """The package's Chart.yaml; reads the whole package, so that gzip's checksum is verified."""
    text = b""
    with gzip.open(path) as packed:
        unpacked = packed.read(MAX_UNPACKED_BYTES + 1)
    if len(unpacked) > MAX_UNPACKED_BYTES:
        raise ValueError(f"it is larger than {MAX_UNPACKED_BYTES} bytes when unpacked")
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
        for entry in archive:
            content = archive.extractfile(entry)
            data = content.read() if content else b""
            if entry.name.count("/") == 1 and entry.name.endswith("/Chart.yaml"):
                text = data
    metadata = yaml.safe_load(text)
    if not isinstance(metadata, dict):
        raise ValueError("it contains no Chart.yaml")  # noqa: TRY004 - the file is corrupt
    return metadata


def _differences(folder: Path, artifact: Artifact) -> set[Difference]:
    recorded = {model.RECORD, *artifact.files}
    present = pack.list_files(folder) | (_empty_folders(folder) - _folders_of(recorded))
    # Every file that the record refers to must exist, not only those that it lists.
    referenced = {artifact.chart.package, *artifact.environments.values()}
    referenced |= set(artifact.additional_values)
    referenced |= {image.archive for image in artifact.images if image.archive}
    changed = {name for name in present & recorded if not _matches_record(folder, name, artifact)}
    return {
        *(Difference(name, Kind.MISSING) for name in (recorded | referenced) - present),
        *(Difference(name, Kind.ADDED) for name in present - recorded),
        *(Difference(name, Kind.CHANGED) for name in changed),
    }


def _matches_record(folder: Path, name: str, artifact: Artifact) -> bool:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        return False
    if name == model.RECORD:
        return path.read_bytes() == artifact.text().encode()
    return pack.measure_file(path) == artifact.files[name]


def _folders_of(names: set[str]) -> set[str]:
    return {str(parent) for name in names for parent in PurePosixPath(name).parents}


def _empty_folders(folder: Path) -> set[str]:
    folders = (path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())
    return {str(path.relative_to(folder)) for path in folders if not any(path.iterdir())}
