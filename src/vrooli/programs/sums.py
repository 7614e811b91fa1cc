"""The recorded SHA-256 of official downloads.

A file and its published checksum come from the same site, so the published checksum proves nothing
about a site that somebody else controls. Therefore checksums are part of this repository.
"""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).parent / "download-sums.txt"


def read(file: Path = FILE) -> dict[str, str]:
    """The recorded SHA-256 of each download, by its site and path."""
    lines = [line.split() for line in file.read_text().splitlines() if not line.startswith("#")]
    return {line[1]: line[0] for line in lines if line}
