"""Writes files so that a reader, or a crash, never meets a half of one."""

from __future__ import annotations

import os
import threading
from pathlib import Path


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file atomically: readers see the old or the new content.

    Threads and processes may write the same file concurrently; the last one wins.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    part.touch(mode=mode)
    part.chmod(mode)
    part.write_text(text)
    part.replace(path)
