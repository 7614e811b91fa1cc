"""The specification's own text, which tests compare the project with."""

from __future__ import annotations

import re
from pathlib import Path

from vrooli import project

LINK = re.compile(r"\]\((?:\.\./)+([\w./-]+)\)")


def folder() -> Path:
    """Where it is kept: beside the repository, where it is kept at all."""
    return project.root().parent / "shared" / "seed"


def text() -> str:
    """All of it."""
    return "\n".join(path.read_text() for path in sorted(folder().glob("*")))


def linked_files() -> set[str]:
    """The files and folders that it links to, from the repository's own folder."""
    return set(LINK.findall(text()))
