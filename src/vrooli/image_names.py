"""Names of images."""

from __future__ import annotations


def with_digest(name: str, digest: str) -> str:
    """The name of an image with a digest instead of its tag."""
    folder, slash, last = name.partition("@")[0].rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}@{digest}"
