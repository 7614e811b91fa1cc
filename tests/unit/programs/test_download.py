"""Official downloads, served from localhost."""

import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from vrooli.events import Progress
from vrooli.programs import download
from vrooli.programs.model import Download

CONTENT = b"#!/bin/sh\necho hello\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is served as the site `kubernetes`."""
    served = tmp_path / "served"
    served.mkdir()
    handler = partial(_Quiet, directory=str(served))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("VROOLI_KUBERNETES_URL", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


KUBELET = Download("kubernetes", "kubelet", "kubelet.sha256", {"kubelet": ""}, DIGEST)


async def test_a_plain_binary_becomes_an_executable(site: Path, tmp_path: Path) -> None:
    (site / "kubelet").write_bytes(CONTENT)
    await download.fetch(KUBELET, tmp_path, Progress())
    assert (tmp_path / "kubelet").read_bytes() == CONTENT
    assert (tmp_path / "kubelet").stat().st_mode & 0o777 == 0o755


async def test_an_archive_gives_just_the_named_members(site: Path, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in ("etcd-v1/etcd", "etcd-v1/README.md"):
            member = tarfile.TarInfo(name)
            member.size = len(CONTENT)
            archive.addfile(member, io.BytesIO(CONTENT))
    content = packed.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    (site / "etcd.tgz").write_bytes(content)
    offer = Download("kubernetes", "etcd.tgz", "SHA256SUMS", {"etcd": "etcd-v1/etcd"}, digest)
    into = tmp_path / "into"
    into.mkdir()
    await download.fetch(offer, into, Progress())
    assert [path.name for path in into.iterdir()] == ["etcd"]


@pytest.mark.parametrize("content", [CONTENT + b"changed", b""])
async def test_another_content_than_recorded_is_refused_whatever_the_site_publishes(
    site: Path, tmp_path: Path, content: bytes
) -> None:
    (site / "kubelet").write_bytes(content)
    (site / "kubelet.sha256").write_text(hashlib.sha256(content).hexdigest())
    with pytest.raises(download.ChecksumError, match=DIGEST):
        await download.fetch(KUBELET, tmp_path, Progress())
    assert not (tmp_path / "kubelet").exists()


async def test_a_download_without_a_recorded_digest_is_refused(site: Path, tmp_path: Path) -> None:
    (site / "kubelet").write_bytes(CONTENT)
    with pytest.raises(download.ChecksumError, match="none is recorded"):
        await download.fetch(replace(KUBELET, sha256=""), tmp_path, Progress())


async def test_a_file_that_the_site_does_not_have_is_told_from_other_faults(
    site: Path, tmp_path: Path
) -> None:
    with pytest.raises(download.MissingError, match="kubelet was not found"):
        await download.fetch(KUBELET, tmp_path, Progress())


async def test_a_site_that_answers_is_reached(site: Path) -> None:
    assert await download.is_reachable("kubernetes")


async def test_a_site_where_nothing_listens_is_not_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VROOLI_KUBERNETES_URL", "http://127.0.0.1:9")
    assert not await download.is_reachable("kubernetes")
