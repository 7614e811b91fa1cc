"""OCI image layouts: finds the blobs of an image, and packs images into one archive.

Source of the format: the OCI image specification, image-layout.md, version 1.0.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vrooli.errors import VrooliError

# The index of a layout: the list of its images.
INDEX = "index.json"
# The file with the version of a layout.
VERSION = "oci-layout"
# The list of images that `docker load` reads, with the same blobs: without its store of
# containerd, Docker does not read the index. Format of `docker save` since version 25.
DOCKER_INDEX = "manifest.json"
# The ends of the media types of a list of images for several platforms.
INDEXES = ("index.v1+json", "manifest.list.v2+json")
# The annotations of an image's name: the specification's, and containerd's, which takes precedence.
NAMES = ("io.containerd.image.name", "org.opencontainers.image.ref.name")


def pack(
    folder: Path, names: Mapping[str, str], target: Path, present: Mapping[str, str] | None = None
) -> None:
    """Write images of a layout into one archive, each blob once.

    Blobs that no image of the layout needs are deleted. Of images that have no name any more, the
    manifest and the configuration stay: they are small, and name the layers that a reader may have.

    Args:
        folder: The layout.
        names: The name of each image in the layout, by its name in the archive.
        target: The archive.
        present: The digests of the images that its reader has, by name: the archive contains
            neither these images nor their layers.

    Raises:
        VrooliError: An image is not in the layout.
    """
    index = json.loads((folder / "index.json").read_text())
    by_name = {image_name(manifest): manifest for manifest in index["manifests"]}
    missing = [name for name in names.values() if name not in by_name]
    if missing:
        raise VrooliError(f"{folder} does not contain the images {', '.join(missing)}.")
    present = present or {}
    selected = [
        with_name(by_name[name], reference)
        for reference, name in names.items()
        if by_name[name]["digest"] != present.get(reference)
    ]
    with tarfile.open(target, "w") as archive:
        # The index comes first, so that reading the names does not require the whole archive.
        add_json(archive, INDEX, {"schemaVersion": 2, "manifests": selected})
        add_json(archive, DOCKER_INDEX, _docker_index(folder, selected))
        add_json(archive, VERSION, {"imageLayoutVersion": "1.0.0"})
        for digest in _missing_blobs(folder, selected, present.values()):
            archive.add(blob_path(folder, digest), _member(digest))
    _delete_unused(folder, index["manifests"])


def contains_image(folder: Path, reference: str, image_id: str) -> bool:
    """Whether a layout has the image under that name; an id is the digest of a configuration."""
    try:
        index = json.loads((folder / "index.json").read_text())
        (manifest,) = (entry for entry in index["manifests"] if image_name(entry) == reference)
        config = json.loads(blob_path(folder, manifest["digest"]).read_text())["config"]["digest"]
        complete = all(
            blob_path(folder, digest).exists() for digest in required_blobs(folder, manifest)
        )
    except (OSError, ValueError, KeyError):  # no layout yet, or an incomplete one after a crash
        return False
    return complete and config == f"sha256:{image_id.removeprefix('sha256:')}"


def blob_path(folder: Path, digest: str) -> Path:
    """The path of the blob with that digest in a layout."""
    return folder / "blobs" / digest.replace(":", "/")


def required_blobs(folder: Path, descriptor: dict[str, Any]) -> list[str]:
    """The digests of all blobs of a manifest, or of an index of manifests; its own comes first."""
    digests = [descriptor["digest"]]
    if descriptor["mediaType"].endswith(INDEXES):
        for inner in json.loads(blob_path(folder, descriptor["digest"]).read_text())["manifests"]:
            digests += required_blobs(folder, inner)
        return digests
    manifest = json.loads(blob_path(folder, descriptor["digest"]).read_text())
    return [
        *digests,
        manifest["config"]["digest"],
        *(part["digest"] for part in manifest["layers"]),
    ]


def _missing_blobs(
    folder: Path, manifests: Iterable[dict[str, Any]], present: Iterable[str]
) -> list[str]:
    """The blobs of images, each once, without the layers of the images that the reader has."""
    known = {layer for digest in present for layer in _layers_of(folder, digest)}
    required = (blob for manifest in manifests for blob in required_blobs(folder, manifest))
    return [blob for blob in dict.fromkeys(required) if blob not in known]


def _layers_of(folder: Path, digest: str) -> list[str]:
    """The digests of an image's layers; none if the layout no longer has its manifest."""
    try:
        manifest = json.loads(blob_path(folder, digest).read_text())
    except OSError:
        return []
    return [layer["digest"] for layer in manifest.get("layers", ())]


def image_name(manifest: Mapping[str, Any]) -> str:
    """The name of an image in an index; empty if it has none."""
    annotations = manifest.get("annotations", {})
    return next((annotations[key] for key in NAMES if key in annotations), "")


def with_name(manifest: dict[str, Any], reference: str) -> dict[str, Any]:
    """An entry of an index for an image with that name."""
    return {**manifest, "annotations": dict.fromkeys(NAMES, reference)}


def docker_entry(entry: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """An entry of Docker's list for the same image with other names; a digest cannot be one."""
    return {**entry, "RepoTags": [name for name in names if "@" not in name]}


def _docker_index(folder: Path, manifests: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Docker's list of the images; one for several platforms has no place in it."""
    result = []
    for descriptor in manifests:
        if not descriptor["mediaType"].endswith(INDEXES):
            _, config, *layers = required_blobs(folder, descriptor)
            entry = {
                "Config": _member(config),
                "RepoTags": [],
                "Layers": [_member(layer) for layer in layers],
            }
            result.append(docker_entry(entry, [image_name(descriptor)]))
    return result


def _member(digest: str) -> str:
    """The name of a blob in an archive."""
    return f"blobs/{digest.replace(':', '/')}"


def add_json(archive: tarfile.TarFile, name: str, content: Any) -> None:
    """Add JSON to an archive as a file, without owner and time."""
    data = json.dumps(content).encode()
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


def _delete_unused(folder: Path, manifests: list[dict[str, Any]]) -> None:
    used = set()
    for manifest in manifests:
        blobs = required_blobs(folder, manifest)
        # Without a name only the manifest and the configuration, which come first.
        used |= {blob_path(folder, blob) for blob in blobs[: None if image_name(manifest) else 2]}
    for path in (folder / "blobs").glob("*/*"):
        if path not in used:
            path.unlink()
