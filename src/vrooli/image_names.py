"""Names of images."""

from __future__ import annotations


def canonical(name: str) -> str:
    """The full name of an image: Docker leaves out its own registry and the folder ``library``."""
    registry, slash, rest = name.partition("/")
    if not slash:
        return f"docker.io/library/{name}"
    if registry == "localhost" or "." in registry or ":" in registry:
        return f"docker.io/library/{rest}" if registry == "docker.io" and "/" not in rest else name
    return f"docker.io/{name}"


def with_digest(name: str, digest: str) -> str:
    """The name of an image with a digest instead of its tag."""
    folder, slash, last = name.partition("@")[0].rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}@{digest}"
