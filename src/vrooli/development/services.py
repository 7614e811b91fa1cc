"""The services whose edited files run in their pods, and the images that edits rebuild."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vrooli import project

# The folder of edited files in a pod, and that of the image's files.
EDITED, IMAGE = "/app/edited", "/app"
# Files in a folder of sources that no pod needs.
IGNORED = frozenset({"__pycache__", "node_modules", "dist", "tests", ".pytest_cache"})


@dataclass(frozen=True)
class EditedService:
    """A service whose pods run edited files.

    Attributes:
        name: Its component, and the name of its image.
        key: Its key in the chart's values.
        sources: The files and folders that its pods run, relative to services/, by their path in
            the pod.
        module: Its Python module; empty if its program reads changed files itself.
        image: The image of such pods, if it is not the service's own.
    """

    name: str
    key: str
    sources: tuple[tuple[str, str], ...]
    module: str = ""
    image: str = ""

    def has(self, path: Path) -> bool:
        """Whether its pods run a file."""
        return any(
            path.is_relative_to(folder() / source) and not IGNORED.intersection(path.parts)
            for _, source in self.sources
        )

    def files(self) -> dict[str, Path]:
        """Its files on this host, by their path in the pod."""
        result: dict[str, Path] = {}
        for target, source in self.sources:
            root = folder() / source
            paths = [root] if root.is_file() else sorted(root.rglob("*"))
            for path in paths:
                inner = path.relative_to(root)
                if path.is_file() and not IGNORED.intersection(inner.parts):
                    result[str(Path(target) / inner)] = path
        return result


def _python(name: str, key: str, package: str, *shared: str) -> EditedService:
    packages = (f"{name}/{package}", *shared)
    sources = tuple((Path(source).name, source) for source in packages)
    return EditedService(name, key, sources, module=package)


_SHARED = "shared/vrooli_shared"
_UI = ("src", "public", "index.html", "vite.config.ts", "tsconfig.json", "package.json")
EDITED_SERVICES = (
    _python("server", "server", "vrooli_server", _SHARED),
    _python("jobs", "jobs", "vrooli_jobs", _SHARED),
    _python("nsfw-detector", "nsfwDetector", "vrooli_detector"),
    EditedService("ui", "ui", tuple((name, f"ui/{name}") for name in _UI), image="ui-development"),
)


def folder() -> Path:
    """The folder of the services' sources."""
    return project.root() / "services"
