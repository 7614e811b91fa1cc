"""What is in an image archive, and what is there already."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vrooli.cluster.embedded.images import archives
from vrooli.cluster.embedded.images.containerd_client import parse_tasks
from vrooli.errors import UsageError


def _archive(path: Path, index: Any, name: str = "index.json") -> Path:
    content = json.dumps(index).encode()
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return path


def _manifest(key: str, name: str) -> dict[str, Any]:
    return {"digest": f"sha256:{name}", "annotations": {key: name}}


@pytest.mark.parametrize("member", ["index.json", "./index.json"])
def test_each_image_has_its_name_and_digest(tmp_path: Path, member: str) -> None:
    manifests = [_manifest(key, key[:2]) for key in archives.NAME_ANNOTATIONS]
    archive = _archive(tmp_path / "a.tar", {"manifests": manifests}, member)
    assert archives.images_in(archive) == {"io": "sha256:io", "or": "sha256:or"}


@pytest.mark.parametrize(
    "index", [{}, {"manifests": [{"digest": "sha256:1"}]}, {"manifests": [{"annotations": {}}]}]
)
def test_an_archive_without_named_images_is_refused(tmp_path: Path, index: Any) -> None:
    with pytest.raises(UsageError, match="not an OCI archive"):
        archives.images_in(_archive(tmp_path / "a.tar", index))


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_text("no tar")
    with pytest.raises(UsageError, match="not an OCI archive"):
        archives.images_in(tmp_path / "a.tar")


def test_an_archive_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not an OCI archive"):
        archives.images_in(_archive(tmp_path / "a.tar", {}, "manifest.json"))


def test_the_images_that_are_there_are_read_from_the_listing() -> None:
    listing = (
        "REF                        TYPE                   DIGEST      SIZE      PLATFORMS\n"
        "localhost/vrooli/pause:1   application/vnd.oci    sha256:12   1.4 MiB   linux/amd64 -\n"
    )
    assert archives.parse_images(listing) == {"localhost/vrooli/pause:1": "sha256:12"}


def test_only_running_tasks_are_asked_to_end() -> None:
    listing = "TASK    PID    STATUS\nabc     17    RUNNING\ndef     0    STOPPED\n"
    assert parse_tasks(listing) == [17]


async def test_an_image_gets_a_name_with_its_digest_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = archives.NAME_ANNOTATIONS[0]
    manifests = [_manifest(key, name) for name in ("r.example/a:1", "r.example/b:1")]
    manifests = [{**item, "digest": f"sha256:{number}"} for number, item in enumerate(manifests)]
    archive = _archive(tmp_path / "a.tar", {"manifests": manifests})
    tagged: list[list[str]] = []

    async def names(*_: object) -> frozenset[str]:
        return frozenset({"r.example/a:1", "r.example/a@sha256:0", "r.example/b:1"})

    async def run(argv: list[str]) -> None:
        tagged.append(argv)

    monkeypatch.setattr(archives, "names", names)
    monkeypatch.setattr(archives, "run", run)
    monkeypatch.setattr(archives, "ctr", lambda record, socket, *words: list(words))
    layout: Any = SimpleNamespace(containerd_socket=Path("socket"))
    record: Any = None
    assert await archives.name_by_digest(layout, record, archive) == {
        "r.example/a:1": "sha256:0",
        "r.example/b:1": "sha256:1",
    }
    assert tagged == [["images", "tag", "r.example/b:1", "r.example/b@sha256:1"]]
