"""Adding images to a layout that has some of their layers, with a builder that writes blobs."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from vrooli.images import oci_layout
from vrooli.images.builders import layout_push

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Builder:
    """Writes images as buildah does: a layer that is there by its content is not written again."""

    def __init__(self) -> None:
        self.compressed: list[bytes] = []

    async def push(self, folder: Path, name: str, *layers: bytes) -> None:
        entries = [self._layer(folder, layer) for layer in layers]
        config = {"rootfs": {"diff_ids": [_digest(layer) for layer in layers]}}
        manifest = {"config": {"digest": _write(folder, _json(config))}, "layers": entries}
        entry: dict[str, Any] = {"mediaType": MANIFEST, "digest": _write(folder, _json(manifest))}
        entry["annotations"] = {"org.opencontainers.image.ref.name": name}
        (folder / oci_layout.INDEX).write_text(json.dumps({"manifests": [entry]}))
        (folder / oci_layout.VERSION).write_text("{}")

    def _layer(self, folder: Path, layer: bytes) -> dict[str, str]:
        if oci_layout.blob_path(folder, _digest(layer)).exists():
            return {"mediaType": "tar", "digest": _digest(layer)}
        self.compressed.append(layer)
        return {"mediaType": "tar+zstd", "digest": _write(folder, b"compressed " + layer)}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _write(folder: Path, content: bytes) -> str:
    path = oci_layout.blob_path(folder, _digest(content))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return _digest(content)


async def _add(builder: Builder, layout: Path, name: str, *layers: bytes) -> str:
    await layout_push.add_image(layout, lambda folder: builder.push(folder, name, *layers))
    entries = json.loads((layout / oci_layout.INDEX).read_text())["manifests"]
    (entry,) = [entry for entry in entries if oci_layout.image_name(entry) == name]
    return str(entry["digest"])


async def test_layers_that_the_layout_has_are_not_compressed_again(tmp_path: Path) -> None:
    builder, layout = Builder(), tmp_path / "layout"
    await _add(builder, layout, "a:1", b"base", b"one")
    await _add(builder, layout, "b:1", b"base", b"two")
    await _add(builder, layout, "a:1", b"base", b"three")
    assert builder.compressed == [b"base", b"one", b"two", b"three"]


async def test_an_image_has_the_digest_that_it_has_in_a_new_layout(tmp_path: Path) -> None:
    builder = Builder()
    await _add(builder, tmp_path / "layout", "a:1", b"base", b"one")
    added = await _add(builder, tmp_path / "layout", "a:1", b"base", b"two")
    assert added == await _add(builder, tmp_path / "other", "a:1", b"base", b"two")
    assert {path.name for path in tmp_path.iterdir()} == {"layout", "other"}


async def test_a_layer_whose_file_is_gone_is_compressed_again(tmp_path: Path) -> None:
    builder, layout = Builder(), tmp_path / "layout"
    await _add(builder, layout, "a:1", b"base")
    oci_layout.blob_path(layout, _digest(b"compressed base")).unlink()
    await _add(builder, layout, "b:1", b"base")
    assert builder.compressed == [b"base", b"base"]


async def test_the_last_replaced_manifests_stay_without_their_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clusters may have the replaced images: their layers are omitted from archives."""
    monkeypatch.setattr(layout_push, "MAX_REPLACED", 2)
    builder, layout = Builder(), tmp_path / "layout"
    digests = [await _add(builder, layout, "a:1", b"base", bytes([n])) for n in range(5)]
    target = tmp_path / "a.tar"
    oci_layout.pack(layout, {"a:1": "a:1"}, target, {"a:1": digests[3]})
    present = [oci_layout.blob_path(layout, digest).exists() for digest in digests]
    assert present == [False, False, True, True, True]
    layers = [_digest(b"compressed " + bytes([n])) for n in range(5)]
    kept = [oci_layout.blob_path(layout, layer).exists() for layer in layers]
    assert kept == [False, False, False, False, True]


async def test_a_failed_write_leaves_the_layout_as_it_was(tmp_path: Path) -> None:
    builder, layout = Builder(), tmp_path / "layout"
    await _add(builder, layout, "a:1", b"base")
    before = {path: path.read_bytes() for path in layout.rglob("*") if path.is_file()}

    async def fail(folder: Path) -> None:
        await builder.push(folder, "a:1", b"base", b"one")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        await layout_push.add_image(layout, fail)
    assert {path: path.read_bytes() for path in layout.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["layout"]
