"""The packages in an image, read from the image itself: Debian's, Python's, Node's, and Go's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from vrooli.events import Progress
from vrooli.images import go_modules, records
from vrooli.images.builders.detection import detect
from vrooli.images.builders.interface import Builder
from vrooli.images.builds.engine import BuiltImage
from vrooli.images.catalog import IMAGES, Image

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
        kind: The type in its package URL: deb, pypi, npm, golang or generic.
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
            records.save_contents(records.PACKAGES, image.id, SCRIPT, packages[name])
    return packages


async def read_with_modules(
    images: Mapping[str, BuiltImage], progress: Progress, *, builder: Builder | None = None
) -> dict[str, tuple[Package, ...]]:
    """The packages of images, and the modules of their Go programs; sorted, each once.

    Images without a shell have modules only. An image whose modules are not recorded is omitted:
    an earlier version of this program built it.

    Raises:
        PrerequisiteError: No builder is available.
        CommandError: An image could not be read.
    """
    modules = {
        name: go_modules.recorded(image.id) if IMAGES[name].programs else ()
        for name, image in images.items()
    }
    complete = {name: listed for name, listed in modules.items() if listed is not None}
    readable = {name: images[name] for name in complete if has_shell(IMAGES[name])}
    packages = await read(readable, progress, builder=builder)
    return {
        name: tuple(
            sorted({*packages.get(name, ()), *(Package("golang", *module) for module in listed)})
        )
        for name, listed in complete.items()
    }


def has_shell(image: Image) -> bool:
    """Whether an image contains Debian, and not one static program only."""
    return image.base is not None or image.name == "base"


def newest(stored: Mapping[str, str]) -> dict[str, BuiltImage]:
    """The build of each image that was used last, without intermediate images.

    Args:
        stored: The ids of a builder's images, by reference.
    """
    builds = {}
    for name, image in IMAGES.items():
        references = [each for each in stored if each.startswith(f"{image.reference}-")]
        if references and not image.step:
            reference = max(references, key=records.last_use)
            builds[name] = BuiltImage(name, image.reference, "", stored[reference], built=False)
    return builds


def recorded(images: Mapping[str, BuiltImage]) -> dict[str, tuple[Package, ...]]:
    """The packages of those images that were read before."""
    read_before = {
        name: records.read_contents(records.PACKAGES, image.id, SCRIPT)
        for name, image in images.items()
    }
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
