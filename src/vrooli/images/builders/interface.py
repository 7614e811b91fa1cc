"""The protocol of image builders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

# Timeout of one build, seconds; far longer than the slowest measured build.
BUILD_S = 1800.0
SAVE_S = 600.0
# Timeout of one push over a slow network, seconds.
PUSH_S = 1800.0
QUERY_S = 30.0
# Timeout of one command in a container, seconds.
RUN_S = 120.0


@dataclass(frozen=True)
class Request:
    """A request to build one image.

    Attributes:
        reference: The reference of the new image.
        containerfile: Its Containerfile.
        context: The build context.
        args: Build arguments.
        contexts: Additional contexts, by name.
        secrets: Files that its steps can mount, by id; they are never part of the image.
    """

    reference: str
    containerfile: Path
    context: Path
    args: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, Path] = field(default_factory=dict)
    secrets: Mapping[str, Path] = field(default_factory=dict)

    def options(self) -> list[str]:
        """The arguments that are the same for every builder."""
        options = [
            *(("--build-arg", f"{name}={value}") for name, value in self.args.items()),
            *(("--build-context", f"{name}={path}") for name, path in self.contexts.items()),
            *(("--secret", f"id={name},src={path}") for name, path in self.secrets.items()),
            ("--file", str(self.containerfile)),
            ("--tag", self.reference),
        ]
        return [word for pair in options for word in pair] + [str(self.context)]


class Builder(Protocol):
    """A program that builds and stores images."""

    @property
    def name(self) -> str:
        """The program's name."""

    async def is_usable(self) -> bool:
        """Whether it is installed and works."""

    async def images(self) -> dict[str, str]:
        """The id of each image in its store, by reference."""

    async def pull(self, source: str, reference: str, timeout_s: float) -> None:
        """Pull an image from its registry and tag it."""

    async def build(self, request: Request, on_line: Callable[[str], None]) -> None:
        """Build an image; ``on_line`` receives each line of the build's output."""

    async def run(self, image_id: str, argv: Sequence[str]) -> str:
        """Run a command as root in a temporary container of an image; returns its output."""

    async def tag(self, image_id: str, reference: str) -> None:
        """Add a reference to an image."""

    async def remove_name(self, reference: str) -> None:
        """Remove a reference; with the last one also the image, unless another image needs it."""

    async def prune(self, before: float) -> None:
        """Remove this product's untagged images that no other needs; only while no build runs.

        Args:
            before: Only images older than this are removed, seconds since the epoch.
        """

    async def remove_leftovers(self) -> None:
        """Remove the remains of interrupted builds; only while no build runs."""

    async def save(
        self,
        images: Mapping[str, str],
        target: Path,
        on_progress: Callable[[str], None],
        present: Mapping[str, str] | None = None,
    ) -> None:
        """Write images, given as ids by reference, into one OCI archive.

        Images that are present at its reader, given as digests by reference, are omitted with
        their blobs.
        """

    async def push(self, image_id: str, reference: str) -> str:
        """Push an image to its reference's registry; returns its digest there."""


def run_words(image_id: str, argv: Sequence[str]) -> tuple[str, ...]:
    """The words for docker and podman that run a command alone, as root, without a network."""
    alone = ("--rm", "--network", "none", "--user", "0", "--entrypoint", argv[0])
    return ("run", *alone, image_id, *argv[1:])


def is_loopback(reference: str) -> bool:
    """Whether a reference's registry is on this machine, where plain HTTP is used."""
    host = reference.partition("/")[0].removeprefix("[").rpartition(":")[0].removesuffix("]")
    return host in ("localhost", "127.0.0.1", "::1")
