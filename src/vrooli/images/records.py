"""Records of earlier builds in the cache: their inputs, durations and last uses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vrooli import project
from vrooli.files import write_atomically

# The records of what images contain: packages that are read from the image, and the modules of its
# Go programs.
PACKAGES, MODULES = CONTENTS = ("packages", "modules")

# The file whose time is that of the last prune.
PRUNED = "pruned"


@dataclass(frozen=True)
class Record:
    """The last build of one image.

    Attributes:
        inputs: The hash of its inputs.
        id: The id of the result in the builder's store.
        seconds: Its duration.
    """

    inputs: str
    id: str
    seconds: float


def folder() -> Path:
    """The cache folder of images; its content can be recreated."""
    return project.cache_dir() / "images"


def read(reference: str) -> Record | None:
    """The record of an image's last build; None if it is missing or invalid."""
    saved = _load("built", reference)
    try:
        return Record(**saved) if saved else None
    except TypeError:  # written by another version of this program
        return None


def write(reference: str, record: Record) -> None:
    """Save the record of a build."""
    _save("built", reference, asdict(record))


def last_duration(name: str) -> float | None:
    """The duration of an image's last build, regardless of its inputs; None if unknown."""
    saved_s = _load("took", name).get("seconds")
    return float(saved_s) if isinstance(saved_s, int | float) else None


def save_duration(name: str, duration_s: float) -> None:
    """Save the duration of a build."""
    _save("took", name, {"seconds": duration_s})


def save_use(reference: str) -> None:
    """Record that a checkout uses an image now."""
    path = _path("used", reference)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def last_use(reference: str) -> float:
    """The time of an image's last use, seconds since the epoch; now if there is no record."""
    path = _path("used", reference)
    if not path.exists():
        save_use(reference)
    return path.stat().st_mtime


def remove(reference: str) -> None:
    """Delete the records of an image that was removed."""
    for kind in ("built", "used"):
        _path(kind, reference).unlink(missing_ok=True)


def last_build() -> float:
    """The time of the last build of any image, seconds since the epoch; 0 if there is none."""
    return max((path.stat().st_mtime for path in (folder() / "took").glob("*.json")), default=0.0)


def save_prune() -> None:
    """Record that the builder's store was pruned now."""
    folder().mkdir(parents=True, exist_ok=True)
    (folder() / PRUNED).touch()


def last_prune() -> float:
    """The time of the last prune of the builder's store, seconds since the epoch; 0 if none."""
    path = folder() / PRUNED
    return path.stat().st_mtime if path.exists() else 0.0


def read_contents(kind: str, image_id: str, reader: str) -> list[list[str]] | None:
    """The packages that a reader found in an image; None if there is no record.

    Args:
        kind: The kind of packages, one of CONTENTS.
        image_id: Its id, the hash of its content.
        reader: What identifies the reader; the packages of another one do not count.
    """
    saved = _load(kind, image_id)
    packages = saved.get("packages")
    is_current = saved.get("reader") == _short_hash(reader)
    return packages if is_current and isinstance(packages, list) else None


def save_contents(
    kind: str, image_id: str, reader: str, packages: Collection[Collection[str]]
) -> None:
    """Save the packages of an image."""
    listed = [list(package) for package in packages]
    _save(kind, image_id, {"reader": _short_hash(reader), "packages": listed})


def retain_contents(image_ids: Collection[str]) -> None:
    """Delete the packages of all other images."""
    for kind in CONTENTS:
        retained = {_path(kind, image_id) for image_id in image_ids}
        for path in (folder() / kind).glob("*.json"):
            if path not in retained:
                path.unlink(missing_ok=True)


def program_digest(path: Path) -> str:
    """The SHA-256 of a program; computed again only if its size or time has changed."""
    status = path.stat()
    identity = [status.st_size, status.st_mtime_ns]
    cached = _load("programs", str(path))
    if cached.get("identity") == identity:
        return str(cached["digest"])
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _save("programs", str(path), {"identity": identity, "digest": digest})
    return digest


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _path(kind: str, key: str) -> Path:
    return folder() / kind / f"{key.replace('/', '_')}.json"


def _load(kind: str, key: str) -> dict[str, Any]:
    try:
        content = json.loads(_path(kind, key).read_text())
    except (OSError, ValueError):  # missing, or incomplete after a crash of the host
        return {}
    return content if isinstance(content, dict) else {}


def _save(kind: str, key: str, value: dict[str, Any]) -> None:
    path = _path(kind, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(value))
