"""Adds an image to an OCI layout without compressing the layers that the layout has again.

buildah compresses all layers of an image that it writes to a layout: it recognizes those that are
there only by the digest of their uncompressed content (containers/image 5.23, oci/layout). So it
writes to a new layout, in which empty files stand for the layers that the old one has compressed.
In the manifest, the old layout's layers replace them. A builder that does not accept the files
compresses all layers, with the same result.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from vrooli.files import write_atomically
from vrooli.images import oci_layout

# The number of manifests to keep of images that were replaced: clusters may have these images, and
# an archive omits the layers of images that its reader has.
MAX_REPLACED = 50


async def add_image(layout: Path, push: Callable[[Path], Awaitable[object]]) -> None:
    """Add an image to a layout; it replaces an image of the same name.

    Args:
        layout: The layout; it is created if it is missing.
        push: Writes the image, under its name, to the layout of another path.
    """
    new = layout.with_name(f"{layout.name}.new")
    layers = await asyncio.to_thread(_prepare, new, layout)
    try:
        await push(new)
        await asyncio.to_thread(_merge, new, layout, layers)
    finally:
        await asyncio.to_thread(shutil.rmtree, new, ignore_errors=True)


def _prepare(new: Path, layout: Path) -> dict[str, dict[str, Any]]:
    """Create a layout with empty files for the layers of another one; returns these layers."""
    layers = compressed_layers(layout)
    shutil.rmtree(new, ignore_errors=True)
    for digest in layers:
        path = oci_layout.blob_path(new, digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return layers


def compressed_layers(layout: Path) -> dict[str, dict[str, Any]]:
    """The entry of each layer in a manifest of a layout, by the digest of its content."""
    layers: dict[str, dict[str, Any]] = {}
    for entry in _entries(layout):
        if entry["mediaType"].endswith(oci_layout.INDEXES):
            continue
        try:
            manifest = _read(layout, entry["digest"])
            contents = _read(layout, manifest["config"]["digest"])["rootfs"]["diff_ids"]
            pairs = list(zip(contents, manifest["layers"], strict=True))
        except (OSError, ValueError, KeyError):  # incomplete after a crash
            continue
        layers |= {
            content: layer
            for content, layer in pairs
            if oci_layout.blob_path(layout, layer["digest"]).exists()
        }
    return layers


def _merge(new: Path, layout: Path, layers: Mapping[str, Mapping[str, Any]]) -> None:
    """Move the image of a new layout into another one, whose layers replace the empty files."""
    (entry,) = _entries(new)
    manifest = _read(new, entry["digest"])
    own = [layer["digest"] for layer in manifest["layers"] if layer["digest"] not in layers]
    manifest["layers"] = [layers.get(layer["digest"], layer) for layer in manifest["layers"]]
    # In the builder's own format, so that the digest is that of an image that it writes alone.
    content = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False).encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    oci_layout.blob_path(new, digest).write_bytes(content)
    for blob in (*own, manifest["config"]["digest"], digest):
        target = oci_layout.blob_path(layout, blob)
        target.parent.mkdir(parents=True, exist_ok=True)
        oci_layout.blob_path(new, blob).replace(target)
    (new / oci_layout.VERSION).replace(layout / oci_layout.VERSION)
    _add_entry(layout, {**entry, "digest": digest, "size": len(content)})


def _add_entry(layout: Path, entry: Mapping[str, Any]) -> None:
    """Add an image to the index; the manifest of the image that had its name stays without one."""
    replaced, named = [], []
    for other in _entries(layout):
        if oci_layout.image_name(other) not in ("", oci_layout.image_name(entry)):
            named.append(other)
        elif other["digest"] != entry["digest"]:
            replaced.append({key: other[key] for key in other if key != "annotations"})
    manifests = [*replaced[-MAX_REPLACED:], *named, entry]
    index = {"schemaVersion": 2, "manifests": manifests}
    write_atomically(layout / oci_layout.INDEX, json.dumps(index))


def _entries(layout: Path) -> list[dict[str, Any]]:
    try:
        manifests: list[dict[str, Any]] = json.loads((layout / oci_layout.INDEX).read_text())[
            "manifests"
        ]
    except (OSError, ValueError):  # no layout yet, or incomplete after a crash
        return []
    return manifests


def _read(layout: Path, digest: str) -> Any:
    return json.loads(oci_layout.blob_path(layout, digest).read_text())
