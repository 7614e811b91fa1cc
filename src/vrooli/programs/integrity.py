"""Detects programs in the cache that have changed since they were installed.

Their SHA-256 is recorded at the installation. A program is hashed again only if its inode, size or
time of change differ from the recorded ones: the kernel sets that time, and no user can choose it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vrooli.errors import PrerequisiteError
from vrooli.trust import require_trusted

FILE = "integrity.json"


def verify(folder: Path, names: Iterable[str]) -> None:
    """Verify programs of a group, and record those that have no record.

    Args:
        folder: The group's folder.
        names: The programs.

    Raises:
        PrerequisiteError: A program has changed, is missing, or can be changed by other users.
    """
    record = folder / FILE
    require_trusted(record)
    before: dict[str, Any] = json.loads(record.read_text()) if record.exists() else {}
    after = dict(before)
    for name in names:
        program = folder / name
        if name in before or program.exists():
            require_trusted(program)
            after[name] = _verify(program, before.get(name))
    if after != before:
        part = record.with_suffix(f".{os.getpid()}.part")  # others may verify at the same time
        part.write_text(json.dumps(after, indent=2) + "\n")
        part.replace(record)


def _verify(program: Path, recorded: dict[str, Any] | None) -> dict[str, Any]:
    try:
        status = program.stat()
    except FileNotFoundError as error:
        raise _changed(program, "is missing") from error
    identity = {
        "inode": status.st_ino,
        "size": status.st_size,
        "changed_ns": status.st_ctime_ns,
    }
    if recorded is not None and identity.items() <= recorded.items():
        return recorded
    with program.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if recorded is not None and digest != recorded["sha256"]:
        raise _changed(program, "has changed since it was installed")
    return {"sha256": digest, **identity}


def _changed(program: Path, reason: str) -> PrerequisiteError:
    return PrerequisiteError(
        f"{program} {reason}.",
        f"Delete {program.parent} and run the command again: the programs are installed again.",
    )
