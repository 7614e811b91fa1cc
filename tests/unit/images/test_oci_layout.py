"""Packing an OCI layout, on layouts written by hand."""

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from vrooli.cluster import image_archive
from vrooli.errors import VrooliError
from vrooli.images import oci_layout

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Layout:
    """A layout on disk, made blob by blob."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifests: list[dict[str, Any]] = []
        (folder / "blobs" / "sha256").mkdir(parents=True)

    def blob(self, content: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        oci_layout.blob_path(self.folder, digest).write_bytes(content)
        return digest

    def image(self, name: str, *layers: bytes) -> str:
        manifest = {
            "config": {"digest": self.blob(f"config of {name}".encode())},
            "layers": [{"digest": self.blob(layer)} for layer in layers],
        }
        digest = self.blob(json.dumps(manifest).encode())
        self.add(name, MANIFEST, digest)
        return digest

    def add(self, name: str, kind: str, digest: str) -> None:
        annotations = {"org.opencontainers.image.ref.name": name}
        self.manifests.append({"mediaType": kind, "digest": digest, "annotations": annotations})
        (self.folder / "index.json").write_text(json.dumps({"manifests": self.manifests}))


@pytest.fixture
def made(tmp_path: Path) -> Layout:
    """Two images that share a layer."""
    made = Layout(tmp_path / "layout")
    made.image("localhost/a:1", b"shared", b"a")
    made.image("localhost/b:1", b"shared", b"b")
    return made


def _pack(made: Layout, *references: str) -> list[str]:
    target = made.folder.with_suffix(".tar")
    oci_layout.pack(made.folder, {name: name for name in references}, target)
    with tarfile.open(target) as archive:
        return archive.getnames()


def test_the_archive_begins_with_its_index(made: Layout) -> None:
    assert _pack(made, "localhost/a:1")[:3] == ["index.json", "manifest.json", "oci-layout"]


def test_a_shared_layer_is_in_the_archive_once(made: Layout) -> None:
    names = _pack(made, "localhost/a:1", "localhost/b:1")
    assert len(names) == len(set(names)) == 3 + 2 * 2 + 3  # manifests and configs, three layers


def test_only_what_the_named_images_need_is_in_the_archive(made: Layout) -> None:
    names = _pack(made, "localhost/a:1")
    assert f"blobs/sha256/{hashlib.sha256(b'b').hexdigest()}" not in names


def test_images_carry_their_full_names_in_both_ways(made: Layout) -> None:
    _pack(made, "localhost/a:1")
    with tarfile.open(made.folder.with_suffix(".tar")) as archive:
        content = archive.extractfile("index.json")
        assert content is not None
        (manifest,) = json.load(content)["manifests"]
    assert set(manifest["annotations"].values()) == {"localhost/a:1"}
    assert manifest["annotations"].keys() == set(oci_layout.NAMES)


def test_an_index_of_several_manifests_brings_all_of_them(made: Layout) -> None:
    inner = made.image("localhost/c:inner", b"c")
    content = {"manifests": [{"mediaType": MANIFEST, "digest": inner}]}
    made.add("localhost/c:1", INDEX, made.blob(json.dumps(content).encode()))
    names = _pack(made, "localhost/c:1")
    assert f"blobs/sha256/{hashlib.sha256(b'c').hexdigest()}" in names


def test_blobs_of_replaced_images_are_deleted_from_the_layout(made: Layout) -> None:
    left = oci_layout.blob_path(made.folder, made.blob(b"of an image that was replaced"))
    _pack(made, "localhost/a:1")
    assert not left.exists()
    assert oci_layout.blob_path(made.folder, f"sha256:{hashlib.sha256(b'b').hexdigest()}").exists()


def test_an_image_that_is_not_there_is_named(made: Layout) -> None:
    with pytest.raises(VrooliError, match="localhost/z:1"):
        _pack(made, "localhost/a:1", "localhost/z:1")


def test_a_layout_holds_an_image_by_its_name_and_id(made: Layout) -> None:
    own = hashlib.sha256(b"config of localhost/a:1").hexdigest()
    assert oci_layout.contains_image(made.folder, "localhost/a:1", own)
    assert oci_layout.contains_image(made.folder, "localhost/a:1", f"sha256:{own}")
    assert not oci_layout.contains_image(made.folder, "localhost/b:1", own)
    assert not oci_layout.contains_image(made.folder, "localhost/z:1", own)


def test_a_layout_does_not_hold_an_image_whose_layer_is_gone(made: Layout) -> None:
    oci_layout.blob_path(made.folder, made.blob(b"a")).unlink()
    own = hashlib.sha256(b"config of localhost/a:1").hexdigest()
    assert not oci_layout.contains_image(made.folder, "localhost/a:1", own)


def test_no_layout_holds_nothing(tmp_path: Path) -> None:
    assert not oci_layout.contains_image(tmp_path, "localhost/a:1", "id")


def test_images_that_are_present_are_omitted_with_their_layers(made: Layout) -> None:
    target, names = made.folder.with_suffix(".tar"), ["localhost/a:1", "localhost/b:1"]
    present = {"localhost/a:1": made.manifests[0]["digest"]}
    oci_layout.pack(made.folder, {name: name for name in names}, target, present)
    with tarfile.open(target) as archive:
        members = archive.getnames()
        index = json.load(archive.extractfile("index.json") or pytest.fail("no index"))
    assert [oci_layout.image_name(item) for item in index["manifests"]] == ["localhost/b:1"]
    # The manifest, the configuration, and the layer that a doesn't share.
    assert len(members) == 3 + 3
    assert f"blobs/sha256/{hashlib.sha256(b'shared').hexdigest()}" not in members


@pytest.mark.parametrize("digest", ["sha256:" + "0" * 64, "the digest of another content"])
def test_an_image_that_is_present_with_other_content_is_packed(made: Layout, digest: str) -> None:
    target = made.folder.with_suffix(".tar")
    name = "localhost/a:1"
    oci_layout.pack(made.folder, {name: name}, target, {name: digest})
    with tarfile.open(target) as archive:
        assert len(archive.getnames()) == 3 + 4


def test_an_image_that_is_present_under_another_name_is_packed_without_its_layers(
    made: Layout,
) -> None:
    """As after an edit is taken back: the nodes still have the image, but not by its name."""
    target, digest = made.folder.with_suffix(".tar"), made.manifests[0]["digest"]
    names = {"localhost/a:dev": "localhost/a:1"}
    oci_layout.pack(made.folder, names, target, {f"localhost/a@{digest}": digest})
    with tarfile.open(target) as archive:
        assert len(archive.getnames()) == 3 + 2
    assert image_archive.digests(target) == {"localhost/a:dev": digest}
