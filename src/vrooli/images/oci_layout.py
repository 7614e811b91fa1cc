"""OCI image layouts: which blobs an image needs, and packing images into one archive.

Source of the format: the OCI image specification, image-layout.md, version 1.0.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vrooli.errors import VrooliError

# The list of a layout's images.
INDEX = "index.json"
# How layouts name their images: the specification's way, and containerd's, which it prefers.
NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


def pack(folder: Path, names: Mapping[str, str], target: Path) -> None:
    """Write images of a layout into one archive, each blob once.

    The layout's blobs that no image needs any more are deleted.

    Args:
        folder: The layout.
        names: The name that the layout has for an image, by the name that the archive gives it.
        target: The archive.

    Raises:
        VrooliError: An image isn't in the layout.
    """
    index = json.loads((folder / "index.json").read_text())
    by_name = {image_name(manifest): manifest for manifest in index["manifests"]}
    missing = [name for name in names.values() if name not in by_name]
    if missing:
        raise VrooliError(f"{folder} lacks the images {', '.join(missing)}.")
    selected = [with_name(by_name[name], reference) for reference, name in names.items()]
    blobs = {digest: None for manifest in selected for digest in required_blobs(folder, manifest)}
    with tarfile.open(target, "w") as archive:
        # The index comes first: who wants to know what is inside reads no further.
        add_json(archive, INDEX, {"schemaVersion": 2, "manifests": selected})
        add_json(archive, "oci-layout", {"imageLayoutVersion": "1.0.0"})
        for digest in blobs:
            archive.add(blob_path(folder, digest), f"blobs/{digest.replace(':', '/')}")
    _delete_unused(folder, index["manifests"])


def contains_image(folder: Path, reference: str, image_id: str) -> bool:
    """Whether a layout has the image under that name: its id is the digest of its configuration."""
    try:
        index = json.loads((folder / "index.json").read_text())
        (manifest,) = (entry for entry in index["manifests"] if image_name(entry) == reference)
        config = json.loads(blob_path(folder, manifest["digest"]).read_text())["config"]["digest"]
        complete = all(
            blob_path(folder, digest).exists() for digest in required_blobs(folder, manifest)
        )
    except (OSError, ValueError, KeyError):  # no layout yet, or one that a crash left
        return False
    return complete and config == f"sha256:{image_id.removeprefix('sha256:')}"


def blob_path(folder: Path, digest: str) -> Path:
    """Where a layout has the blob of that digest."""
    return folder / "blobs" / digest.replace(":", "/")


def required_blobs(folder: Path, descriptor: dict[str, Any]) -> list[str]:
    """The digests of all blobs that a manifest, or an index of manifests, needs; its own first."""
    digests = [descriptor["digest"]]
    if descriptor["mediaType"].endswith(("index.v1+json", "manifest.list.v2+json")):
        for inner in json.loads(blob_path(folder, descriptor["digest"]).read_text())["manifests"]:
            digests += required_blobs(folder, inner)
        return digests
    manifest = json.loads(blob_path(folder, descriptor["digest"]).read_text())
    return [
        *digests,
        manifest["config"]["digest"],
        *(part["digest"] for part in manifest["layers"]),
    ]


def image_name(manifest: dict[str, Any]) -> str:
    """The name that an index gives an image, or nothing."""
    annotations = manifest.get("annotations", {})
    return next((annotations[key] for key in NAMES if key in annotations), "")


def with_name(manifest: dict[str, Any], reference: str) -> dict[str, Any]:
    """An index's entry of an image under that name."""
    return {**manifest, "annotations": dict.fromkeys(NAMES, reference)}


def add_json(archive: tarfile.TarFile, name: str, content: dict[str, Any]) -> None:
    """Put JSON into an archive as a file, without owner and time."""
    data = json.dumps(content).encode()
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


def _delete_unused(folder: Path, manifests: list[dict[str, Any]]) -> None:
    used = {
        blob_path(folder, digest)
        for manifest in manifests
        for digest in required_blobs(folder, manifest)
    }
    for path in (folder / "blobs").glob("*/*"):
        if path not in used:
            path.unlink()
