"""Finds what isn't in an artifact as its record says, to the byte."""

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
# What Helm takes of a package, unpacked, bytes: MaxDecompressedChartSize of its archive loader.
LARGEST = 100 * 1024**2


class Kind(StrEnum):
    """How a file differs from what the record says."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"


@dataclass(frozen=True)
class Difference:
    """One file that isn't as the record says.

    Attributes:
        path: The file, below the artifact.
        kind: How it differs.
    """

    path: str
    kind: Kind


def verify(folder: Path) -> tuple[Artifact, tuple[Difference, ...]]:
    """An artifact's record, and every file that isn't as it says; none when it is whole.

    Raises:
        UsageError: There is no artifact, its record or its chart's package can't be read, or it
            is of another chart.
    """
    artifact = model.read(folder)
    found = sorted(_differences(folder, artifact), key=lambda difference: difference.path)
    if Difference(artifact.chart.package, Kind.MISSING) not in found:
        check_package(folder / artifact.chart.package, artifact.chart)
    return artifact, tuple(found)


def demand_whole(folder: Path) -> Artifact:
    """The record of an artifact that is whole, for those who use it.

    Raises:
        UsageError: It isn't; says which files differ.
    """
    artifact, found = verify(folder)
    if found:
        said = ", ".join(f"{one.path} ({one.kind})" for one in found)
        raise UsageError(
            f"The artifact in {folder} is not as it was built: {said}.", "Build it again."
        )
    return artifact


def check_package(path: Path, wanted: ArtifactChart) -> None:
    """Check that a chart's package can be read and holds the chart that the record names.

    Raises:
        UsageError: It doesn't.
    """
    again = "Build the artifact again, or copy it again."
    try:
        metadata = _metadata(path)
    except (tarfile.TarError, zlib.error, EOFError, OSError, KeyError, ValueError) as error:
        raise UsageError(f"The chart's package {path} is corrupt: {error}.", again) from error
    except yaml.YAMLError as error:
        raise UsageError(f"The chart's package {path} has a corrupt Chart.yaml.", again) from error
    found = (metadata.get("name"), metadata.get("version"))
    if found[0] != CHART or wanted.name != CHART:
        named = found[0] if found[0] != CHART else wanted.name
        raise UsageError(
            f"The artifact's package {path} is of the chart {named!r}, not of {CHART!r}.",
            "Name an artifact that `vrooli build` made.",
        )
    if found != (wanted.name, wanted.version):
        raise UsageError(
            f"{path} holds the chart's version {found[1]!r}, the record says {wanted.version!r}.",
            again,
        )


def _metadata(path: Path) -> dict[str, Any]:
    """The package's Chart.yaml; reads all of the package, so that gzip's checksum is checked."""
    text = b""
    with gzip.open(path) as packed:
        unpacked = packed.read(LARGEST + 1)
    if len(unpacked) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST} bytes when unpacked")
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
        for entry in archive:
            content = archive.extractfile(entry)
            data = content.read() if content else b""
            if entry.name.count("/") == 1 and entry.name.endswith("/Chart.yaml"):
                text = data
    found = yaml.safe_load(text)
    if not isinstance(found, dict):
        raise ValueError("it holds no Chart.yaml")  # noqa: TRY004 - a corrupt file, no wrong type
    return found


def _differences(folder: Path, artifact: Artifact) -> set[Difference]:
    known = {model.RECORD, *artifact.files}
    found = pack.names(folder) | (_empty_folders(folder) - _folders_of(known))
    # Whatever the record speaks of must be there, and not only what it lists.
    named = {artifact.chart.package, *artifact.environments.values()}
    named |= {image.archive for image in artifact.images if image.archive}
    changed = {name for name in found & known if not _as_said(folder, name, artifact)}
    return {
        *(Difference(name, Kind.MISSING) for name in (known | named) - found),
        *(Difference(name, Kind.ADDED) for name in found - known),
        *(Difference(name, Kind.CHANGED) for name in changed),
    }


def _as_said(folder: Path, name: str, artifact: Artifact) -> bool:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        return False
    if name == model.RECORD:
        return path.read_bytes() == artifact.text().encode()
    return pack.measured(path) == artifact.files[name]


def _folders_of(names: set[str]) -> set[str]:
    return {str(parent) for name in names for parent in PurePosixPath(name).parents}


def _empty_folders(folder: Path) -> set[str]:
    folders = (path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())
    return {str(path.relative_to(folder)) for path in folders if not any(path.iterdir())}
