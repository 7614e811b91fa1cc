"""Records the checksums that vendors publish for the downloads of the catalog.

A maintainer runs ``python -m vrooli.programs.recording`` after a change of a version, where the
official sites are reachable. Mirrors are ignored.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import httpx

from vrooli.programs import sums
from vrooli.programs.catalog import GROUPS
from vrooli.programs.download import SITES
from vrooli.programs.model import Download
from vrooli.responses import LimitedClient

# Timeout of one request, seconds.
REQUEST_S = 30.0


def parse_published(text: str, file: str) -> str | None:
    """The SHA-256 of a file in a published text.

    Args:
        text: A single digest, or lines of digest and file name.
        file: The name of the file.

    Returns:
        The digest; None if the text has none, or more than one.
    """
    fields = [line.split() for line in text.splitlines() if line.strip()]
    published = {
        line[0].lower()
        for line in fields
        if len(line) == 1 or line[-1].lstrip("*").rsplit("/", 1)[-1] == file
    }
    return published.pop() if len(published) == 1 else None


async def record(
    downloads: Iterable[Download], sites: Mapping[str, str], file: Path = sums.FILE
) -> list[str]:
    """Record the published checksums, and delete those of other versions.

    A recorded checksum is never replaced: the file of a version must not change.

    Args:
        downloads: The downloads of the catalog.
        sites: The official base URL of each site.
        file: The file to write.

    Returns:
        The downloads whose checksum is missing or differs from the published one, with the reason.
    """
    known, recorded, failures = sums.read(file), dict[str, str](), []
    async with LimitedClient(timeout=REQUEST_S, follow_redirects=True) as client:
        for download in downloads:
            url = f"{sites[download.site]}/{download.checksum}"
            try:
                text = (await client.get(url)).raise_for_status().text
                digest = parse_published(text, download.path.rsplit("/", 1)[-1])
                reason = f"{url} has no single digest of it"
            except httpx.HTTPError as error:
                digest, reason = None, f"{url}: {error or type(error).__name__}"
            former = known.get(download.key, digest)
            if former is None or former != (digest or former):
                failures.append(f"{download.key}: {f'{digest} is published' if digest else reason}")
            if former is not None:
                recorded[download.key] = former
    header = [line for line in file.read_text().splitlines() if line.startswith("#")]
    lines = [f"{digest}  {key}" for key, digest in sorted(recorded.items())]
    file.write_text("\n".join([*header, *lines, ""]))
    return failures


def main() -> int:
    """Record the checksums of the catalog; 1 if one is missing or differs."""
    official = {site: url for site, (_, url) in SITES.items()}
    downloads = [download for group in GROUPS for download in group.downloads]
    failures = asyncio.run(record(downloads, official))
    sys.stderr.write("".join(f"not recorded: {failure}\n" for failure in failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
