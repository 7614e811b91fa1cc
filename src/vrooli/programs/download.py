"""Official downloads, verified by the SHA-256 that this repository records."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import tarfile
from pathlib import Path

import httpx

from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.programs.model import Download
from vrooli.responses import LimitedClient

# The sites' base URLs; each can be set in the environment, for a mirror.
SITES = {
    "kubernetes": ("VROOLI_KUBERNETES_URL", "https://dl.k8s.io"),
    "helm": ("VROOLI_HELM_URL", "https://get.helm.sh"),
    "github": ("VROOLI_GITHUB_URL", "https://github.com"),
}
# A site that does not respond within this time is considered unreachable, seconds.
PROBE_S = 4.0
# Timeout of each read of a download, seconds.
DOWNLOAD_S = 600.0
# How long all of a file may take on a slow network, seconds.
TRANSFER_S = 3600.0
# The longest file that is read, MiB: the largest have 150.
LIMIT_MIB = 512


class MissingError(VrooliError):
    """The site responds, but does not have the file."""


class ChecksumError(VrooliError):
    """A download does not match its recorded SHA-256."""


def base_url(site: str) -> str:
    """The base URL of a site, without a slash at its end."""
    variable, official = SITES[site]
    return os.environ.get(variable, official).rstrip("/")


async def is_reachable(site: str) -> bool:
    """Whether a site responds."""
    try:
        async with LimitedClient(timeout=PROBE_S, follow_redirects=True) as client:
            response = await client.head(base_url(site) + "/")
    except httpx.HTTPError:
        return False
    # A refusal by a proxy is a response too, but not from the site.
    return response.status_code not in (
        httpx.codes.FORBIDDEN,
        httpx.codes.PROXY_AUTHENTICATION_REQUIRED,
        httpx.codes.BAD_GATEWAY,
        httpx.codes.SERVICE_UNAVAILABLE,
    )


async def fetch(download: Download, target: Path, progress: Progress) -> None:
    """Download programs into a folder and make them executable.

    Raises:
        MissingError: The site does not have the file.
        ChecksumError: The file does not match its recorded SHA-256, or none is recorded.
        VrooliError: The download failed.
    """
    base = base_url(download.site)
    url = f"{base}/{download.path}"
    progress.report(f"downloading {url}")
    try:
        async with LimitedClient(
            limit_mib=LIMIT_MIB, total_s=TRANSFER_S, timeout=DOWNLOAD_S, follow_redirects=True
        ) as client:
            content = (await client.get(url)).raise_for_status().content
    except httpx.HTTPStatusError as error:
        if error.response.status_code != httpx.codes.NOT_FOUND:
            raise VrooliError(f"{url} could not be downloaded: {error}") from error
        raise MissingError(f"{error.request.url} was not found.") from error
    except httpx.HTTPError as error:
        raise VrooliError(f"{url} could not be downloaded: {error}") from error
    actual = hashlib.sha256(content).hexdigest()
    if actual != download.sha256:
        raise ChecksumError(
            f"{url} has the SHA-256 {actual}, but {download.sha256 or 'none'} is recorded.",
            "Do not use it. Set another base URL, or none, so that it is built instead.",
        )
    await asyncio.to_thread(_unpack, content, download.members, target)


def _unpack(content: bytes, members: dict[str, str], target: Path) -> None:
    if "" in members.values():
        (name,) = members
        _write(target / name, content)
        return
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for name, path in members.items():
            member = archive.extractfile(path)
            if member is None:
                raise VrooliError(f"The archive does not contain {path}.")
            _write(target / name, member.read())


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o755)
