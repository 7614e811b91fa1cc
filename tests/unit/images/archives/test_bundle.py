"""An archive under other names: the same images, once, and the same bytes for the same images."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from vrooli.cluster import image_archive
from vrooli.errors import VrooliError
from vrooli.images import oci_layout
from vrooli.images.archives.bundle import rename

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
A, B = "localhost/vrooli/a:dev", "localhost/vrooli/b:dev"
JSON = ("index.json", "manifest.json")
PUBLIC = ("registry.example.com/x/a:1.2.3", "docker.io/x/a:1.2.3")


def _blob(folder: Path, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    path = folder / "blobs" / "sha256" / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return f"sha256:{digest}"


def _packed(folder: Path, target: Path) -> Path:
    """An archive of two images that share a layer, as the builders' layouts are packed."""
    manifests = []
    for name in (A, B):
        config = {"digest": _blob(folder, name.encode())}
        layers = [{"digest": _blob(folder, b"shared")}]
        digest = _blob(folder, json.dumps({"config": config, "layers": layers}).encode())
        annotations = {oci_layout.NAMES[1]: name}
        manifests.append({"mediaType": MANIFEST, "digest": digest, "annotations": annotations})
    (folder / "index.json").write_text(json.dumps({"manifests": manifests}))
    oci_layout.pack(folder, {A: A, B: B}, target)
    return target


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    return _packed(tmp_path / "layout", tmp_path / "packed.tar")


def _files(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        found = [(entry.name, archive.extractfile(entry)) for entry in archive]
        return {name: content.read() for name, content in found if content}


def test_an_image_has_all_its_new_names_and_its_own_digest(packed: Path, tmp_path: Path) -> None:
    target = tmp_path / "images" / "services.tar"
    digests = rename(packed, {A: PUBLIC}, target)
    manifests = json.loads(_files(target)["index.json"])["manifests"]
    for name in oci_layout.NAMES:
        assert {entry["annotations"][name] for entry in manifests} == set(PUBLIC)
    assert {entry["digest"] for entry in manifests} == {digests[A]}
    content = _files(target)[f"blobs/{digests[A].replace(':', '/')}"]
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" == digests[A]


def test_every_blob_is_copied_once_and_the_index_comes_first(packed: Path, tmp_path: Path) -> None:
    rename(packed, {A: PUBLIC, B: ["b:1"]}, tmp_path / "new.tar")
    with tarfile.open(tmp_path / "new.tar") as archive:
        names = archive.getnames()
    assert names[:2] == ["index.json", "manifest.json"]
    assert len(names) == len(set(names))
    before, after = _files(packed), _files(tmp_path / "new.tar")
    assert before.keys() == after.keys()
    assert all(after[name] == text for name, text in before.items() if name not in JSON)


def test_docker_finds_the_same_images_under_the_new_names(packed: Path, tmp_path: Path) -> None:
    digested = f"{PUBLIC[0]}@sha256:{'0' * 64}"
    rename(packed, {A: [*PUBLIC, digested], B: ["b:1"]}, tmp_path / "new.tar")
    files = _files(tmp_path / "new.tar")
    first, second = json.loads(files["manifest.json"])
    assert (first["RepoTags"], second["RepoTags"]) == (sorted(PUBLIC), ["b:1"])
    assert (files[first["Config"]], files[second["Config"]]) == (A.encode(), B.encode())
    assert [files[name] for name in first["Layers"]] == [b"shared"]
    assert image_archive.read(tmp_path / "new.tar").keys() == {*PUBLIC, digested, "b:1"}


def test_times_owners_and_the_names_order_leave_no_trace(packed: Path, tmp_path: Path) -> None:
    rename(packed, {A: PUBLIC}, tmp_path / "1.tar")
    for path in (tmp_path / "layout").rglob("*"):
        os.utime(path, (1, 1))
    again = _packed(tmp_path / "layout", tmp_path / "again.tar")
    rename(again, {A: [*reversed(PUBLIC), PUBLIC[0]]}, tmp_path / "2.tar")
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()


def test_an_image_that_is_not_there_is_named(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(VrooliError, match="localhost/z:1"):
        rename(packed, {"localhost/z:1": ["z:1"]}, tmp_path / "new.tar")


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_a_file_that_is_no_archive_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(VrooliError, match=r"x\.tar is not an archive"):
        rename(tmp_path / "x.tar", {A: ["a:1"]}, tmp_path / "new.tar")


def test_an_archive_with_an_index_that_is_no_json_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        entry = tarfile.TarInfo("index.json")
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b"{"))
    with pytest.raises(VrooliError, match="is not an archive"):
        rename(tmp_path / "x.tar", {A: ["a:1"]}, tmp_path / "new.tar")
