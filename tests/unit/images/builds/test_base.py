"""Where the base image's packages come from."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from vrooli.errors import CommandError, PrerequisiteError
from vrooli.images.builders.buildah import Buildah
from vrooli.images.builders.interface import Request
from vrooli.images.builds import base

DEBIAN = [
    "deb http://deb.debian.org/debian bookworm main",
    "deb http://deb.debian.org/debian bookworm-updates main",
    "deb http://deb.debian.org/debian-security bookworm-security main",
]


def test_without_a_mirror_of_the_host_they_come_from_debian() -> None:
    assert base.debian_sources([]) == DEBIAN


def test_the_host_s_mirror_is_taken_from_one_line_sources() -> None:
    content = (
        "# deb http://old.example/debian bookworm main\n"
        "deb [signed-by=/k.gpg] http://mirror.example/debian/ bookworm main contrib\n"
        "deb-src http://source.example/debian bookworm main\n"
    )
    assert base.debian_sources([content]) == ["deb http://mirror.example/debian bookworm main"]


def test_the_host_s_mirror_is_taken_from_deb822_sources() -> None:
    content = (
        "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n"
        "Components: main\n\n"
        "Types: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\n"
        "Components: main\n"
    )
    assert base.debian_sources([content]) == [
        "deb http://mirror.example/debian bookworm main",
        "deb http://mirror.example/debian bookworm-updates main",
        "deb http://mirror.example/security bookworm-security main",
    ]


@pytest.mark.parametrize(
    "content",
    [
        "deb https://vendor.example/linux/debian bookworm stable\n",
        "deb http://archive.ubuntu.example/ubuntu noble main\n",
        "deb http://apt.vendor.example/pub bookworm-pgdg main\n",
        "Types: deb\nURIs: http://off.example/debian\nSuites: bookworm\n"
        "Components: main\nEnabled: no\n",
    ],
    ids=["a vendor's component", "another distribution", "a vendor's suite", "disabled"],
)
def test_sources_that_are_no_mirror_of_the_suite_are_left_out(content: str) -> None:
    assert base.debian_sources([content]) == DEBIAN


def test_another_base_is_another_input(monkeypatch: pytest.MonkeyPatch) -> None:
    before = base.inputs_hash()
    monkeypatch.setenv("VROOLI_BASE_IMAGE", "registry.example/debian:bookworm-slim")
    assert base.inputs_hash() != before


class _Builder(Buildah):
    """A builder that pulls, and keeps the Containerfiles that it builds."""

    def __init__(self) -> None:
        super().__init__()
        self.built: list[tuple[str, str]] = []

        self.pulled: list[str] = []
        self.refuses = False

    async def pull(self, source: str, reference: str, timeout_s: float) -> None:
        self.pulled.append(source)
        if self.refuses:
            raise CommandError(("buildah", "pull"), 125, "manifest unknown")

    async def build(self, request: Request, on_line: Callable[[str], None]) -> None:
        self.built.append((request.reference, request.containerfile.read_text()))


def test_a_renewed_base_differs_even_if_its_packages_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images with packages of their own are built on it, and must be built again."""
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv(base.VARIABLE, "registry.example/debian:12")
    request = Request("localhost/x:1", containerfile=tmp_path / "none", context=tmp_path)

    def provide(folder: str) -> list[tuple[str, str]]:
        builder = _Builder()
        workspace = tmp_path / folder
        workspace.mkdir()
        asyncio.run(base.provide(builder, request, workspace, lambda line: None))
        return builder.built

    assert provide("first") == []
    base.renew()
    ((reference, first),) = provide("second")
    base.renew()
    ((_, second),) = provide("third")
    assert reference == "localhost/x:1"
    assert first.startswith("FROM localhost/x:1\nLABEL ")
    assert first != second


@pytest.fixture
def provide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[_Builder], None]:
    """Add the base image to a builder's store, on a host whose mmdebstrap works."""
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv(base.VARIABLE, raising=False)
    _mmdebstrap(tmp_path, monkeypatch, "exit 0")
    containerfile = tmp_path / "Containerfile"
    containerfile.write_text("FROM scratch\nADD rootfs.tar /\n")
    request = Request("localhost/x:1", containerfile=containerfile, context=tmp_path)

    def run(builder: _Builder) -> None:
        workspace = Path(tempfile.mkdtemp(dir=tmp_path))
        asyncio.run(base.provide(builder, request, workspace, lambda line: None))

    return run


def _mmdebstrap(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "mmdebstrap").write_text(f"#!/bin/sh\n{script}\n")
    (programs / "mmdebstrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))


def test_the_base_comes_from_signed_packages_and_not_from_a_tag(
    provide: Callable[[_Builder], None],
) -> None:
    builder = _Builder()
    provide(builder)
    assert builder.pulled == []
    assert [reference for reference, _ in builder.built] == ["localhost/x:1"]


@pytest.mark.parametrize("script", ["exit 1", None])
def test_a_host_that_cannot_create_it_pulls_it(
    provide: Callable[[_Builder], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str | None,
) -> None:
    if script:
        _mmdebstrap(tmp_path, monkeypatch, script)
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    builder = _Builder()
    provide(builder)
    assert builder.pulled == [base.PULLED]
    builder.refuses = True
    with pytest.raises(PrerequisiteError, match=r"since mmdebstrap .*can't be pulled") as refused:
        provide(builder)
    assert base.VARIABLE in refused.value.advice


def test_a_selected_image_is_pulled_by_its_digest_and_has_no_substitute(
    provide: Callable[[_Builder], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = f"sha256:{'1' * 64}"
    monkeypatch.setenv(base.VARIABLE, f"r.example:5000/debian:bookworm-slim@{digest}")
    builder = _Builder()
    provide(builder)
    assert builder.pulled == [f"r.example:5000/debian@{digest}"]
    builder.refuses = True
    with pytest.raises(PrerequisiteError, match=f"(?s)debian@{digest} .*manifest unknown"):
        provide(builder)
    assert builder.built == []
