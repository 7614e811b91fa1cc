"""What was built before, from what, and how long it took: small files in the cache."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vrooli import project


@dataclass(frozen=True)
class Record:
    """One image's last build.

    Attributes:
        inputs: The hash of what it was made of.
        id: What the builder called the result.
        seconds: How long it took.
    """

    inputs: str
    id: str
    seconds: float


def folder() -> Path:
    """Where all that concerns images is kept; it can be made again."""
    return project.cache_dir() / "images"


def read(reference: str) -> Record | None:
    """What is known of an image's last build; None for nothing, or nothing that makes sense."""
    saved = _load("built", reference)
    try:
        return Record(**saved) if saved else None
    except TypeError:  # another version of this program wrote it
        return None


def write(reference: str, record: Record) -> None:
    """Keep what is known of a build."""
    _save("built", reference, asdict(record))


def last_duration(name: str) -> float | None:
    """How long the last build of an image took, whatever it was made of; None for unknown."""
    saved_s = _load("took", name).get("seconds")
    return float(saved_s) if isinstance(saved_s, int | float) else None


def save_duration(name: str, duration_s: float) -> None:
    """Keep how long a build took."""
    _save("took", name, {"seconds": duration_s})


def save_use(reference: str) -> None:
    """Keep that an image is used now, by whichever checkout."""
    path = _path("used", reference)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def last_use(reference: str) -> float:
    """When an image was last used, seconds since the epoch; one never heard of counts from now."""
    path = _path("used", reference)
    if not path.exists():
        save_use(reference)
    return path.stat().st_mtime


def remove(reference: str) -> None:
    """Keep nothing any more of an image that is gone."""
    for kind in ("built", "used"):
        _path(kind, reference).unlink(missing_ok=True)


def program_digest(path: Path) -> str:
    """The SHA-256 of a program; read again only when its size or its time changed."""
    status = path.stat()
    identity = [status.st_size, status.st_mtime_ns]
    cached = _load("programs", str(path))
    if cached.get("identity") == identity:
        return str(cached["digest"])
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _save("programs", str(path), {"identity": identity, "digest": digest})
    return digest


def _path(kind: str, key: str) -> Path:
    return folder() / kind / f"{key.replace('/', '_')}.json"


def _load(kind: str, key: str) -> dict[str, Any]:
    try:
        content = json.loads(_path(kind, key).read_text())
    except (OSError, ValueError):  # none yet, or one that a crash of the host left
        return {}
    return content if isinstance(content, dict) else {}


def _save(kind: str, key: str, value: dict[str, Any]) -> None:
    path = _path(kind, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two threads of one run may save the same thing at once.
    partial = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    partial.write_text(json.dumps(value))
    partial.replace(path)
