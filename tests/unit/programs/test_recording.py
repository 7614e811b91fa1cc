"""Recorded checksums of downloads."""

from pathlib import Path

import httpx
import pytest

from vrooli.programs import recording, sums
from vrooli.programs.catalog import GROUPS
from vrooli.programs.model import Download

OLD, NEW = "a" * 64, "b" * 64
FILES = {"/one/a.tgz.sha256": f"{NEW}  a.tgz\n", "/one/SHA256SUMS": f"{OLD} *b.tgz\n{NEW}  c\n"}
SITES = {"one": "https://site.test/one"}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of sums, and a site that publishes some."""

    async def get(client: httpx.AsyncClient, url: str) -> httpx.Response:
        text = FILES.get(httpx.URL(url).path)
        request = httpx.Request("GET", url)
        return httpx.Response(404 if text is None else 200, text=text or "", request=request)

    monkeypatch.setattr(httpx.AsyncClient, "get", get)
    path = tmp_path / "sums.txt"
    path.write_text("# How it is made.\n")
    return path


def _download(name: str, checksum: str) -> Download:
    return Download("one", name, checksum, {"x": ""})


async def test_published_digests_are_recorded_and_those_of_other_versions_deleted(
    file: Path,
) -> None:
    file.write_text(f"# How it is made.\n{OLD}  one/former.tgz\n")
    wanted = [_download("a.tgz", "a.tgz.sha256"), _download("b.tgz", "SHA256SUMS")]
    assert await recording.record(wanted, SITES, file) == []
    assert file.read_text() == f"# How it is made.\n{NEW}  one/a.tgz\n{OLD}  one/b.tgz\n"
    assert sums.read(file) == {"one/a.tgz": NEW, "one/b.tgz": OLD}


async def test_a_recorded_digest_is_never_replaced(file: Path) -> None:
    file.write_text(f"{OLD}  one/a.tgz\n")
    failures = await recording.record([_download("a.tgz", "a.tgz.sha256")], SITES, file)
    assert failures == [f"one/a.tgz: {NEW} is published"]
    assert sums.read(file) == {"one/a.tgz": OLD}


async def test_a_digest_that_cannot_be_read_is_reported_and_a_recorded_one_kept(
    file: Path,
) -> None:
    file.write_text(f"{OLD}  one/a.tgz\n")
    wanted = [_download("a.tgz", "nothing"), _download("d.tgz", "SHA256SUMS")]
    (failure,) = await recording.record(wanted, SITES, file)
    assert failure.startswith("one/d.tgz: ")
    assert sums.read(file) == {"one/a.tgz": OLD}


@pytest.mark.parametrize("text", ["", f"{OLD}  another-file\n", f"{OLD}  x\n{NEW}  x\n"])
def test_a_text_without_a_single_digest_of_the_file_gives_none(text: str) -> None:
    assert recording.parse_published(text, "x") is None


def test_every_recorded_digest_belongs_to_a_download_of_the_catalog() -> None:
    keys = {download.key for group in GROUPS for download in group.downloads}
    recorded = sums.read()
    assert recorded
    assert recorded.keys() <= keys
    assert all(len(digest) == 64 for digest in recorded.values())
