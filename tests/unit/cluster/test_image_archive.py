"""What is in an image archive, for every program that reads it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from support.cluster.image_archives import index_entry, write_index
from support.programs.file_times import await_tick
from vrooli.cluster import image_archive
from vrooli.errors import UsageError


@pytest.mark.parametrize("member", ["index.json", "./index.json"])
def test_each_image_has_its_name_and_digest(tmp_path: Path, member: str) -> None:
    manifests = [index_entry(key, key[:2]) for key in image_archive.NAME_ANNOTATIONS]
    archive = write_index(tmp_path / "a.tar", {"manifests": manifests}, member)
    assert image_archive.digests(archive) == {"io": "sha256:io", "or": "sha256:or"}


@pytest.mark.parametrize(
    "index", [{}, {"manifests": [{"digest": "sha256:1"}]}, {"manifests": [{"annotations": {}}]}]
)
def test_an_archive_without_named_images_is_refused(tmp_path: Path, index: Any) -> None:
    with pytest.raises(UsageError, match="not an OCI archive"):
        image_archive.digests(write_index(tmp_path / "a.tar", index))


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_text("no tar")
    with pytest.raises(UsageError, match="not an OCI archive"):
        image_archive.digests(tmp_path / "a.tar")


def test_an_archive_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not an OCI archive"):
        image_archive.digests(write_index(tmp_path / "a.tar", {}, "manifest.json"))


def _files(path: Path, *members: tuple[str, Any]) -> Path:
    """An archive of members: a name with JSON, or with a header of its own."""
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            entry, data = tarfile.TarInfo(name), b""
            if isinstance(content, bytes):
                entry.type, entry.linkname = content, "index.json"
            else:
                data = json.dumps(content).encode()
                entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


INDEX = {"manifests": [index_entry(image_archive.NAME_ANNOTATIONS[0], "a")]}


@pytest.mark.parametrize(
    "members",
    [
        [("index.json", INDEX), ("index.json", INDEX)],
        [("index.json", INDEX), ("./index.json", INDEX)],
        [("index.json", INDEX), ("blobs/../index.json", INDEX)],
        [("index.json", INDEX), ("/index.json", INDEX)],
        [("index.json", INDEX), ("../index.json", INDEX)],
        [("index.json", INDEX), ("blobs/sha256/a", {}), ("blobs/sha256//a", {})],
        [("index.json", INDEX), ("x", tarfile.SYMTYPE)],
        [("other.json", INDEX), ("index.json", tarfile.LNKTYPE)],
    ],
    ids=["twice", "dot", "parent", "root", "above", "blob", "symbolic link", "hard link"],
)
def test_an_archive_that_programs_could_read_differently_is_refused(
    tmp_path: Path, members: list[tuple[str, Any]]
) -> None:
    with pytest.raises(UsageError, match="not an OCI archive"):
        image_archive.digests(_files(tmp_path / "a.tar", *members))


@pytest.mark.parametrize(
    ("of_all", "of_one"),
    [({"path": "index.json"}, {}), ({}, {"GNU.sparse.name": "index.json"})],
    ids=["all files", "sparse file"],
)
def test_a_file_that_only_python_gives_another_name_is_refused(
    tmp_path: Path, of_all: dict[str, str], of_one: dict[str, str]
) -> None:
    data = json.dumps(INDEX).encode()
    entry = tarfile.TarInfo("other.json")
    entry.size, entry.pax_headers = len(data), of_one
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT, pax_headers=of_all) as tar:
        tar.addfile(entry, io.BytesIO(data))
    with pytest.raises(UsageError, match="another name for other programs"):
        image_archive.digests(path)


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    one, other = INDEX["manifests"][0], {**INDEX["manifests"][0], "digest": "sha256:other"}
    with pytest.raises(UsageError, match="two images have one name"):
        image_archive.digests(
            _files(tmp_path / "a.tar", ("index.json", {"manifests": [one, other]}))
        )
    twice = {"manifests": [one, one]}
    assert image_archive.digests(_files(tmp_path / "b.tar", ("index.json", twice)))


def test_the_id_of_an_image_is_the_digest_of_its_configuration(tmp_path: Path) -> None:
    manifest = {"config": {"digest": "sha256:config"}, "layers": []}
    path = _files(
        tmp_path / "a.tar",
        ("index.json", INDEX),
        ("blobs/sha256/a", manifest),
        ("blobs", tarfile.DIRTYPE),
    )
    assert image_archive.read(path) == {
        "a": image_archive.ArchivedImage("sha256:a", "sha256:config")
    }
    several = _files(
        tmp_path / "b.tar", ("index.json", INDEX), ("blobs/sha256/a", {"manifests": []})
    )
    assert image_archive.read(several) == {"a": image_archive.ArchivedImage("sha256:a")}


@pytest.mark.parametrize(
    ("entries", "is_same"),
    [
        ([{"Config": "blobs/sha256/c", "RepoTags": ["a"], "Layers": []}], True),
        ([{"Config": "c.json", "RepoTags": ["docker.io/library/a"], "Layers": []}], True),
        ([{"Config": "blobs/sha256/c", "RepoTags": None, "Layers": []}], True),
        ([{"Config": "blobs/sha256/other", "RepoTags": ["a"], "Layers": []}], False),
        ([{"Config": "blobs/sha256/c", "RepoTags": ["a", "k8s.io/pause:1"], "Layers": []}], False),
    ],
)
def test_docker_must_find_the_same_images(
    tmp_path: Path, entries: list[Any], is_same: bool
) -> None:
    manifest = {"config": {"digest": "sha256:c"}, "layers": []}
    path = _files(
        tmp_path / "a.tar",
        ("index.json", INDEX),
        ("blobs/sha256/a", manifest),
        ("manifest.json", entries),
    )
    if is_same:
        assert image_archive.digests(path) == {"a": "sha256:a"}
    else:
        with pytest.raises(UsageError, match=r"manifest\.json and index\.json differ in"):
            image_archive.digests(path)


def test_an_archive_that_is_replaced_stays_the_one_that_was_opened(tmp_path: Path) -> None:
    archive = write_index(tmp_path / "a.tar", INDEX)
    other = {"manifests": [index_entry(image_archive.NAME_ANNOTATIONS[0], "b")]}
    with (
        pytest.raises(UsageError, match="was changed while"),
        image_archive.unchanged(archive) as path,
    ):
        before = image_archive.digests(path)
        write_index(tmp_path / "b.tar", other).replace(archive)
        assert image_archive.digests(path) == before
        assert image_archive.digests(archive) != before


def test_an_archive_that_is_written_to_is_reported(tmp_path: Path) -> None:
    archive = write_index(tmp_path / "a.tar", INDEX)
    stat = archive.stat()
    with (
        pytest.raises(UsageError, match="was changed while"),
        image_archive.unchanged(archive),
    ):
        await_tick(tmp_path)
        archive.write_bytes(archive.read_bytes()[::-1])
        os.utime(archive, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_an_archive_that_nobody_changes_is_read_by_other_programs(tmp_path: Path) -> None:
    archive = write_index(tmp_path / "a.tar", INDEX)
    with image_archive.unchanged(archive) as path:
        read = subprocess.run(["cat", path], check=True, capture_output=True)
    assert read.stdout == archive.read_bytes()


def test_a_missing_archive_is_reported(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="cannot be read: No such file"),
        image_archive.unchanged(tmp_path / "a.tar"),
    ):
        pass
