"""Where the base image's packages come from."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

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

    async def pull(self, source: str, reference: str, timeout_s: float) -> None:
        """Every image can be pulled."""

    async def build(self, request: Request, on_line: Callable[[str], None]) -> None:
        self.built.append((request.reference, request.containerfile.read_text()))


def test_a_renewed_base_differs_even_if_its_packages_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images with packages of their own are built on it, and must be built again."""
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))
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
