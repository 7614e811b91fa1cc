"""The packages in an image, read from the image itself: Debian's, Python's and Node's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from vrooli.events import Progress
from vrooli.images import records
from vrooli.images.builders.detection import detect
from vrooli.images.builders.interface import Builder
from vrooli.images.builds.engine import BuiltImage

# Prints a line per package of Debian and Python, and then the lock files that npm installs.
# Sources: dpkg-query(1); the Python specification of core metadata; npm's documentation,
# "package-lock.json", hidden lockfiles.
SCRIPT = r"""
dpkg-query -W -f 'deb\t${Package}\t${Version}\n'
find / -xdev -path '*.dist-info/METADATA' -exec awk '
/^$/ { exit } /^Name: / { name = $2 } /^Version: / { version = $2 }
END { print "pypi\t" name "\t" version }' {} \;
! command -v node >/dev/null || printf 'generic\tnodejs\t%s\n' "$(node --version)"
find / -xdev -path '*/node_modules/.package-lock.json' -exec cat {} \; -exec echo \;
"""


class Package(NamedTuple):
    """A package in an image.

    Attributes:
        kind: The type in its package URL: deb, pypi, npm or generic.
        name: Its name; one of npm can have a scope.
        version: Its version.
    """

    kind: str
    name: str
    version: str


async def read(
    images: Mapping[str, BuiltImage], progress: Progress, *, builder: Builder | None = None
) -> dict[str, tuple[Package, ...]]:
    """The packages of images that have a shell, by the images' names; sorted, each once.

    They are recorded: an image with the same id is not read again.

    Raises:
        PrerequisiteError: No builder is available.
        CommandError: An image could not be read.
    """
    chosen = builder or await detect()
    packages = recorded(images)
    for name, image in images.items():
        if name not in packages:
            progress.report(f"reading the packages of {name}")
            packages[name] = parse(await chosen.run(image.id, ["sh", "-c", SCRIPT]))
            records.save_contents(image.id, SCRIPT, packages[name])
    return packages


def recorded(images: Mapping[str, BuiltImage]) -> dict[str, tuple[Package, ...]]:
    """The packages of those images that were read before."""
    read_before = {name: records.read_contents(image.id, SCRIPT) for name, image in images.items()}
    return {
        name: tuple(Package(*package) for package in packages)
        for name, packages in read_before.items()
        if packages is not None
    }


def parse(output: str) -> tuple[Package, ...]:
    """The packages in the output of SCRIPT."""
    before, separator, after = output.partition("\n{")
    rows = [line.split("\t") for line in before.splitlines()]
    contents = {Package(kind, name, version.removeprefix("v")) for kind, name, version in rows}
    decoder, rest = json.JSONDecoder(), f"{separator.strip()}{after}".strip()
    while rest:
        lock, end = decoder.raw_decode(rest)
        for path, entry in lock["packages"].items():
            contents.add(Package("npm", path.rpartition("node_modules/")[2], entry["version"]))
        rest = rest[end:].strip()
    return tuple(sorted(contents))
