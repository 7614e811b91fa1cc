"""Security updates that images lack."""

from __future__ import annotations

import asyncio
import lzma
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from vrooli import images
from vrooli.events import Outcome, Progress, silent
from vrooli.images import contents, updates
from vrooli.images.builders.buildah import Buildah
from vrooli.images.builds import base
from vrooli.images.contents import Package
from vrooli.images.updates import Update
from vrooli.workflows.suites import vulnerabilities

INDEX = """\
Package: libssl3
Version: 3.0.9-1~deb12u1

Package: libssl3
Version: 3.0.10-1~deb12u1
Description: one of several
 lines

Package: redis-server
Version: 5:7.0.15-1~deb12u10
"""
PACKED = lzma.compress(INDEX.encode())


class _Store(Buildah):
    """A store with one image of Debian in two builds, and one without packages."""

    installed = "3.0.9-1~deb12u1"

    async def images(self) -> dict[str, str]:
        names = ("redis:7-old", "redis:7-new", "pause:1-x")
        return {f"localhost/vrooli/{name}": name for name in names}

    async def run(self, image_id: str, argv: Sequence[str]) -> str:
        assert image_id == "redis:7-new"
        return f"deb\tlibssl3\t{self.installed}\ndeb\tbase-files\t12\n"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> _Store:
    """A store, and an index of Debian."""
    made = _Store()
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))

    async def detect() -> _Store:
        return made

    async def get(client: httpx.AsyncClient, url: str) -> httpx.Response:
        assert url.endswith("bookworm-security/main/binary-amd64/Packages.xz")
        return httpx.Response(200, content=PACKED, request=httpx.Request("GET", url))

    monkeypatch.setattr(httpx.AsyncClient, "get", get)
    monkeypatch.setattr(vulnerabilities, "detect", detect)
    monkeypatch.setattr(contents.records, "last_use", lambda name: float(name.endswith("new")))
    return made


def test_the_newest_version_of_each_package_counts() -> None:
    assert updates.parse_index(PACKED) == {
        "libssl3": "3.0.10-1~deb12u1",
        "redis-server": "5:7.0.15-1~deb12u10",
    }


@pytest.mark.parametrize("content", [b"", b"<html>", lzma.compress(b""), PACKED[:40]])
def test_what_is_no_index_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match="it "):
        updates.parse_index(content)


@pytest.mark.parametrize(
    ("kind", "version", "lacking"),
    [
        ("deb", "3.0.9-1~deb12u1", True),
        ("deb", "3.0.10~rc1-1", True),
        ("deb", "3.0.10-1~deb12u1", False),
        ("deb", "3.0.11-1", False),
        ("deb", "1:1", False),
        ("pypi", "1", False),
    ],
)
def test_versions_are_compared_as_debian_does(kind: str, version: str, lacking: bool) -> None:
    found = updates.find((Package(kind, "libssl3", version),), updates.parse_index(PACKED))
    assert found == ((Update("libssl3", version, "3.0.10-1~deb12u1"),) if lacking else ())


def test_the_newest_build_of_each_image_is_compared(store: _Store) -> None:
    found = asyncio.run(updates.find_all(store, Progress()))
    assert found == {"redis": (Update("libssl3", store.installed, "3.0.10-1~deb12u1"),)}


def test_without_reading_only_recorded_images_are_compared(store: _Store) -> None:
    async def find(*, reads_images: bool) -> dict[str, tuple[Update, ...]]:
        return await updates.find_all(store, Progress(), reads_images=reads_images)

    assert asyncio.run(find(reads_images=False)) == {}
    found = asyncio.run(find(reads_images=True))
    assert asyncio.run(find(reads_images=False)) == found != {}


def test_lacking_updates_are_reported_with_the_command_and_are_no_failure(store: _Store) -> None:
    case = asyncio.run(vulnerabilities._case("x", vulnerabilities._check_images, silent))
    assert (case.passed, case.checked) == (True, True)
    assert case.log == (
        "images lack 1 security update: libssl3 3.0.9-1~deb12u1 → 3.0.10-1~deb12u1; "
        "run `vrooli setup --update-images`"
    )


def test_images_with_all_updates_pass(store: _Store) -> None:
    store.installed = "3.0.10-1~deb12u1"
    outcome, text = asyncio.run(vulnerabilities._check_images())
    assert (outcome, text) == (Outcome.UNCHANGED, "none in 1 images")


def test_an_index_that_cannot_be_read_is_never_reported_as_checked(
    store: _Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def get(client: httpx.AsyncClient, url: str) -> httpx.Response:
        raise httpx.ConnectError("no route")

    monkeypatch.setattr(httpx.AsyncClient, "get", get)
    case = asyncio.run(vulnerabilities._case("x", vulnerabilities._check_images, silent))
    assert (case.passed, case.checked, case.log) == (True, False, "could not check: no route")


def test_a_renewal_changes_the_base_image_and_so_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))
    before = base.inputs_hash()
    images.renew()
    renewed = base.inputs_hash()
    assert renewed != before
    assert base.inputs_hash() == renewed
    images.renew()
    assert base.inputs_hash() not in (before, renewed)
