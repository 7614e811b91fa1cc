"""Security updates of Debian that images lack: their packages, compared with Debian's index."""

from __future__ import annotations

import asyncio
import lzma
from collections.abc import Mapping
from typing import NamedTuple

import httpx
from debian.deb822 import Packages
from debian.debian_support import Version

from vrooli.events import Progress
from vrooli.images import contents
from vrooli.images.builders.interface import Builder
from vrooli.images.builds import base
from vrooli.images.catalog import IMAGES
from vrooli.images.contents import Package
from vrooli.responses import LimitedClient

INDEX = "main/binary-amd64/Packages.xz"
# Timeouts of a connection and of the download of 0.4 MB, seconds.
CONNECT_S, DOWNLOAD_S = 4.0, 60.0
# The largest index that is read, bytes after decompression; it has 3 MB.
MAX_INDEX_BYTES = 64 * 1024**2


class Update(NamedTuple):
    """A package of an image for which a security update exists."""

    name: str
    installed: str
    available: str


async def fetch_index() -> dict[str, str]:
    """The newest version of each package in Debian's security archive, from the mirror of images.

    Raises:
        httpx.HTTPError: It could not be downloaded.
        ValueError: It is not an index.
    """
    url = f"{base.security_archive()}/{INDEX}"
    timeout = httpx.Timeout(DOWNLOAD_S, connect=CONNECT_S)
    async with LimitedClient(timeout=timeout, follow_redirects=True) as client:
        content = (await client.get(url)).raise_for_status().content
    return await asyncio.to_thread(parse_index, content)


def parse_index(content: bytes) -> dict[str, str]:
    """The newest version of each package in a compressed index.

    Raises:
        ValueError: It is not an index.
    """
    try:
        decompressor = lzma.LZMADecompressor()
        text = decompressor.decompress(content, MAX_INDEX_BYTES)
    except lzma.LZMAError as error:
        raise ValueError(f"it is not compressed by xz: {error}") from error
    if not decompressor.eof:
        raise ValueError("it is incomplete or too large")
    newest: dict[str, str] = {}
    for entry in Packages.iter_paragraphs(text.decode(), use_apt_pkg=False):
        name, version = entry["Package"], entry["Version"]
        if name not in newest or Version(newest[name]) < Version(version):
            newest[name] = version
    if not newest:
        raise ValueError("it lists no packages")
    return newest


def find(packages: tuple[Package, ...], index: Mapping[str, str]) -> tuple[Update, ...]:
    """The updates of an image's packages."""
    return tuple(
        Update(package.name, package.version, index[package.name])
        for package in packages
        if package.kind == "deb"
        and package.name in index
        and Version(package.version) < Version(index[package.name])
    )


async def find_all(
    builder: Builder, progress: Progress, *, reads_images: bool = True
) -> dict[str, tuple[Update, ...]]:
    """The updates of each image of Debian that this machine has built, in its newest build.

    Args:
        builder: The builder that stores the images.
        progress: Reports which image is read.
        reads_images: Whether images are read whose packages are not recorded; else they are
            omitted.

    Raises:
        CommandError: An image could not be read.
        httpx.HTTPError: The index could not be downloaded.
        ValueError: It is not an index.
    """
    stored = contents.newest(await builder.images())
    images = {name: image for name, image in stored.items() if contents.has_shell(IMAGES[name])}
    if not images:
        return {}
    index = await fetch_index()
    packages = (
        await contents.read(images, progress, builder=builder)
        if reads_images
        else contents.recorded(images)
    )
    return {name: find(found, index) for name, found in packages.items()}
