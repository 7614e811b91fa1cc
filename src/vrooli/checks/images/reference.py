"""The names of images, as container runtimes read them. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Docker Hub's name in references, and the host that serves its API.
HUB, HUB_HOST = "docker.io", "registry-1.docker.io"
_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1)(:\d+)?")


@dataclass(frozen=True)
class Reference:
    """A parsed image name."""

    registry: str
    repository: str
    tag: str
    digest: str = ""

    @property
    def url(self) -> str:
        """The URL of its manifest."""
        host = HUB_HOST if self.registry == HUB else self.registry
        scheme = "http" if _LOOPBACK.fullmatch(host) else "https"
        return f"{scheme}://{host}/v2/{self.repository}/manifests/{self.digest or self.tag}"


def parse(image: str) -> Reference:
    """Parse an image name as container runtimes do."""
    name, _, digest = image.partition("@")
    first, slash, rest = name.partition("/")
    named = bool(slash) and ("." in first or ":" in first or first == "localhost")
    registry, path = (first, rest) if named else (HUB, name)
    repository, _, tag = path.partition(":")
    if registry == HUB and "/" not in repository:
        repository = f"library/{repository}"
    return Reference(registry, repository, tag or "latest", digest)


def name_of(image: str) -> str:
    """The canonical name of an image, as container runtimes store it."""
    parsed = parse(image)
    end = f"@{parsed.digest}" if parsed.digest else f":{parsed.tag}"
    return f"{parsed.registry}/{parsed.repository}{end}"
