"""The text of the specification, if it is next to this checkout, and its commands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from vrooli import project

# A comment that begins with one of these is a command that the reader may want, too.
PROGRAMS = ("bash", "helm", "kubectl", "./scripts/")
LINK = re.compile(r"\]\((?:\.\./)+([\w./-]+)\)")
HEADING = re.compile(r"^#{1,6} (?P<title>.*)")
CODE_SPAN = re.compile(r"^`(?P<text>[^`]+)`$")
CONTINUED = re.compile(r"\\\s*$")
COMMENT = re.compile(r"(^|\s+)#.*$")


@dataclass(frozen=True)
class Command:
    """A command line as the specification prints it, on one line and without its comment.

    Attributes:
        text: What is typed.
        heading: Under which heading it stands.
        environment: The ``export`` lines above it in its block.
        commented: It stands in a comment, as an example or as the other way.
    """

    text: str
    heading: str
    environment: tuple[str, ...] = ()
    commented: bool = False


# The table in docs/deviations.md of commands that do not run as printed.
LISTED = "## Commands of the specification that do not run as printed"
ROW = re.compile(
    r"^\| `(?P<command>[^`]+)` \| (?P<why>[^|]+) \| (?P<instead>[^|]+) \|$", re.MULTILINE
)


@dataclass(frozen=True)
class Deviation:
    """A command that doesn't run as printed: why, and what to run instead."""

    command: str
    why: str
    instead: str


def folder() -> Path:
    """The folder of the specification, next to the repository if it exists."""
    return project.root().parent / "shared" / "seed"


# For tests that read it: a clone has none beside it.
needed = pytest.mark.skipif(
    not folder().is_dir(), reason="the specification isn't kept beside this checkout"
)


def text() -> str:
    """The whole of it."""
    return "\n".join(path.read_text() for path in sorted(folder().glob("*")))


def linked_files() -> set[str]:
    """The files and folders that it links to, from the repository's own folder."""
    return set(LINK.findall(text()))


def commands(document: str) -> list[Command]:
    """Every command of a document's bash blocks, and of lines that are nothing but one code span.

    Comments are for the reader, but for those that begin with a program's name. A comment within a
    continued command is left out of it; typed as printed, it would end the command there.
    """
    result: list[Command] = []
    heading = ""
    lines = iter(line.strip() for line in document.splitlines())
    for line in lines:
        if line.startswith("```"):
            block = list(_until_fence(lines))
            if line == "```bash":
                result += _of_block(block, heading)
        elif title := HEADING.match(line):
            heading = title["title"]
        elif (span := CODE_SPAN.match(line)) and span["text"].startswith(PROGRAMS):
            result.append(Command(span["text"], heading))
    return result


def _until_fence(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith("```"):
            return
        yield line


def _of_block(block: Iterable[str], heading: str) -> Iterator[Command]:
    environment: list[str] = []
    parts: list[str] = []
    for line in block:
        commented = line.startswith("#")
        if commented and (parts or not line.lstrip("# ").startswith(PROGRAMS)):
            continue
        shown = COMMENT.sub("", line.lstrip("# ")).strip()
        parts.append(CONTINUED.sub("", shown).strip())
        if CONTINUED.search(shown):
            continue
        whole, parts = " ".join(parts), []
        if whole.startswith("export "):
            environment.append(whole)
        elif whole:
            yield Command(whole, heading, tuple(environment), commented)


def deviations() -> list[Deviation]:
    """The commands that docs/deviations.md lists as not running as printed."""
    document = (project.root() / "docs" / "deviations.md").read_text()
    table = document.partition(LISTED)[2].partition("\n## ")[0]
    return [Deviation(**row.groupdict()) for row in ROW.finditer(table)]
