"""What every builder of images offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

# The limit of one build: far above the slowest that was measured, seconds.
BUILD_S = 1800.0
SAVE_S = 600.0
# The limit of one image's way to a registry, over a slow line, seconds.
PUSH_S = 1800.0
QUERY_S = 30.0


@dataclass(frozen=True)
class Request:
    """One build that is asked for.

    Attributes:
        reference: What the image will be called.
        containerfile: Its Containerfile.
        context: What it can copy from.
        args: Build arguments.
        contexts: More contexts, by name.
        secrets: Files that its steps can mount, by id; they are never part of the image.
    """

    reference: str
    containerfile: Path
    context: Path
    args: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, Path] = field(default_factory=dict)
    secrets: Mapping[str, Path] = field(default_factory=dict)

    def options(self) -> list[str]:
        """The command line's part that every builder takes alike."""
        options = [
            *(("--build-arg", f"{name}={value}") for name, value in self.args.items()),
            *(("--build-context", f"{name}={path}") for name, path in self.contexts.items()),
            *(("--secret", f"id={name},src={path}") for name, path in self.secrets.items()),
            ("--file", str(self.containerfile)),
            ("--tag", self.reference),
        ]
        return [word for pair in options for word in pair] + [str(self.context)]


class Builder(Protocol):
    """A program that builds images and keeps them."""

    @property
    def name(self) -> str:
        """The program's name."""

    async def is_usable(self) -> bool:
        """Whether it is there and works."""

    async def images(self) -> dict[str, str]:
        """The id of each image that it keeps, by reference."""

    async def pull(self, source: str, reference: str, timeout_s: float) -> None:
        """Get an image from its registry and give it a name of ours."""

    async def build(self, request: Request, on_line: Callable[[str], None]) -> None:
        """Build an image; each line of what the build prints goes to ``on_line``."""

    async def tag(self, image_id: str, reference: str) -> None:
        """Give an image one more name."""

    async def remove_name(self, reference: str) -> None:
        """Take a name away, and with the last one the image, unless something needs it."""

    async def prune(self, before: float) -> None:
        """Remove the nameless images of ours that nothing needs; only while no build runs.

        Args:
            before: Only those that are older than this moment, seconds since the epoch.
        """

    async def remove_leftovers(self) -> None:
        """Remove what interrupted builds left; only while none runs."""

    async def save(
        self, images: Mapping[str, str], target: Path, on_progress: Callable[[str], None]
    ) -> None:
        """Write images, given as ids by reference, into one OCI archive."""

    async def push(self, image_id: str, reference: str) -> str:
        """Push an image to its reference's registry; gives the digest that it has there."""


def is_loopback(reference: str) -> bool:
    """Whether a reference's registry is on this machine, where it speaks plain HTTP."""
    host = reference.partition("/")[0].removeprefix("[").rpartition(":")[0].removesuffix("]")
    return host in ("localhost", "127.0.0.1", "::1")
