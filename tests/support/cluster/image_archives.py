"""Image archives of tests, with images that consist of a configuration and one layer."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vrooli.cluster.image_archive import ArchivedImage

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def write(path: Path, names: Iterable[str], *, salt: str = "") -> dict[str, ArchivedImage]:
    """Write an archive; another salt gives the images another content."""
    blobs: dict[str, bytes] = {}

    def blob(content: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        return {"digest": f"sha256:{digest}", "size": len(content)}

    images, entries = dict[str, ArchivedImage](), []
    for name in names:
        config = blob(json.dumps({"name": name, "salt": salt}).encode())
        layer = blob(b"layer")
        text = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
        manifest = blob(json.dumps(text).encode())
        annotations = {"org.opencontainers.image.ref.name": name}
        entries.append({"mediaType": MANIFEST, **manifest, "annotations": annotations})
        images[name] = ArchivedImage(manifest["digest"], config["digest"])
    files = {f"blobs/sha256/{digest}": content for digest, content in blobs.items()}
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    with tarfile.open(path, "w") as archive:
        for name, content in sorted(files.items(), reverse=True):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return images


def write_program(path: Path, name: str, program: Path, entrypoint: str) -> None:
    """Write an archive with an image that has nothing but a program."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        member = tarfile.TarInfo(entrypoint.lstrip("/"))
        member.size, member.mode = program.stat().st_size, 0o755
        with program.open("rb") as content:
            archive.addfile(member, content)
    blobs: dict[str, bytes] = {}

    def blob(media: str, content: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = content
        return {"mediaType": media, "digest": f"sha256:{digest}", "size": len(content)}

    packed = blob("application/vnd.oci.image.layer.v1.tar", layer.getvalue())
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()],
        "os": "linux",
        "config": {"Entrypoint": [entrypoint], "User": "1000:1000"},
        "rootfs": {"type": "layers", "diff_ids": [packed["digest"]]},
    }
    described = blob("application/vnd.oci.image.config.v1+json", json.dumps(config).encode())
    text = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": [packed]}
    entry = blob(MANIFEST, json.dumps(text).encode())
    entry["annotations"] = {"org.opencontainers.image.ref.name": name}
    files = {
        **blobs,
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "index.json": json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode(),
    }
    with tarfile.open(path, "w") as archive:
        for file, content_ in files.items():
            member = tarfile.TarInfo(file)
            member.size = len(content_)
            archive.addfile(member, io.BytesIO(content_))


def write_index(path: Path, index: Any, name: str = "index.json") -> Path:
    """Write an archive that has nothing but an index, which may be invalid."""
    content = json.dumps(index).encode()
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return path


def index_entry(key: str, name: str) -> dict[str, Any]:
    """The entry of an image in an index: its digest and the annotation with its name."""
    return {"digest": f"sha256:{name}", "annotations": {key: name}}
