"""What a group of third-party programs is: its Go module, its build and its downloads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

GO_DIR = Path(__file__).parent / "go"


@dataclass(frozen=True)
class Download:
    """An official download of some programs.

    Attributes:
        site: The name of its site; the host can override the site's base URL (download.py).
        path: The path below the site; a plain binary, or a .tgz or .tar.gz archive.
        checksum: The path below the site of its published SHA-256; only for recording it.
        members: The path of each program inside the archive, or "" for a plain binary.
        sha256: Its recorded SHA-256 (sums.py); without one, the download is never used.
    """

    site: str
    path: str
    checksum: str
    members: dict[str, str]
    sha256: str = ""

    @property
    def key(self) -> str:
        """Its site and path, by which its SHA-256 is recorded."""
        return f"{self.site}/{self.path}"


@dataclass(frozen=True)
class Edit:
    """A text of a module that a build replaces, to correct a fault.

    Attributes:
        file: The import path of the package, and the name of the file.
        before: The text, which the file contains once.
        after: The text in its place.
    """

    file: str
    before: str
    after: str

    @property
    def package(self) -> str:
        """The import path of its package."""
        return self.file.rpartition("/")[0]


@dataclass(frozen=True)
class Group:
    """Programs that are built together, so that compiled packages are shared.

    Attributes:
        name: The group's name, also of the folder in go/ with the pinned Go module.
        module: The Go module whose version names the group, as module@version.
        packages: The main package of each program.
        build_s: The measured duration of its build on two cores without a cache, seconds: the
            first estimate.
        tags: Go build tags.
        stamp: Variables to set at link time, by name.
        cgo: Whether it contains C code, which needs the packages of a C compiler on the host. It is
            linked statically, so that it needs no library of the host.
        needs_source: Whether the module's charts and CRDs are needed in addition to its programs.
        downloads: Official downloads of some of its programs.
        edits: Corrections of its modules.
    """

    name: str
    module: str
    packages: dict[str, str]
    build_s: float
    tags: str = ""
    stamp: dict[str, str] = field(default_factory=dict)
    cgo: bool = False
    needs_source: bool = False
    downloads: tuple[Download, ...] = ()
    edits: tuple[Edit, ...] = ()

    @property
    def go_dir(self) -> Path:
        """The folder of the pinned Go module."""
        return GO_DIR / self.name

    def only(self, packages: dict[str, str]) -> Group:
        """A copy of the group with these programs only."""
        return replace(self, packages=packages)

    def key(self) -> str:
        """A short hash of everything that determines the programs."""
        digest = hashlib.sha256()
        digest.update(repr((self.packages, self.tags, sorted(self.stamp.items()))).encode())
        if self.edits:
            digest.update(repr(self.edits).encode())
        for file in sorted(self.go_dir.rglob("*")):
            if file.is_file():
                digest.update(str(file.relative_to(self.go_dir)).encode())
                digest.update(file.read_bytes())
        return digest.hexdigest()[:12]
