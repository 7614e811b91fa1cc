"""Which files of a cluster a snapshot links, copies and leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from vrooli.cluster.embedded.snapshots import copying

pytestmark = pytest.mark.anyio
OVERLAY, NATIVE = "io.containerd.snapshotter.v1.overlayfs", "io.containerd.snapshotter.v1.native"
MOUNTS = f"""\
22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw
50 22 0:60 / /run/containerd/a/rootfs rw - overlay overlay rw,lowerdir=/c/{OVERLAY}/snapshots/3/fs:\
/c/{OVERLAY}/snapshots/2/fs,upperdir=/c/{OVERLAY}/snapshots/7/fs,workdir=/c/{OVERLAY}/snapshots/7/work
51 22 254:0 /state/c/{NATIVE}/snapshots/9 /run/containerd/b/rootfs rw - ext4 /dev/vda rw
52 22 254:0 /state/c/storage /volumes rw - ext4 /dev/vda rw
"""


@pytest.fixture
def containerd(tmp_path: Path) -> Path:
    """A containerd folder with a blob, an image's layer, a container's layer and databases."""
    root = tmp_path / "containerd"
    for path, content in {
        f"{copying.CONTENT}/blobs/sha256/aa": "blob",
        f"{copying.CONTENT}/ingest/half": "unfinished",
        f"{OVERLAY}/metadata.db": "layers",
        f"{OVERLAY}/snapshots/3/fs/etc/passwd": "image",
        f"{OVERLAY}/snapshots/7/fs/tmp/log": "written",
        "io.containerd.metadata.v1.bolt/meta.db": "names",
        "io.containerd.runtime.v2.task/k8s.io/a/address": "running",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    return root


def test_only_layers_that_containers_write_to_are_writable() -> None:
    assert copying.parse_writable_layers(MOUNTS) == {(OVERLAY, "7"), (NATIVE, "9")}


async def test_images_are_links_and_what_containerd_changes_is_copied(
    containerd: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy"
    await copying.link_images(containerd, target, {(OVERLAY, "7")})
    await copying.copy_databases(containerd, target)
    assert content(target) == {
        f"{copying.CONTENT}/blobs/sha256/aa": "blob",
        f"{OVERLAY}/metadata.db": "layers",
        f"{OVERLAY}/snapshots/3/fs/etc/passwd": "image",
        "io.containerd.metadata.v1.bolt/meta.db": "names",
    }
    assert (target / OVERLAY / "snapshots/7/fs").is_dir()
    assert (target / OVERLAY / "snapshots/7/work").is_dir()
    linked = {name for name in content(target) if inode(containerd / name) == inode(target / name)}
    assert linked == {
        f"{copying.CONTENT}/blobs/sha256/aa",
        f"{OVERLAY}/snapshots/3/fs/etc/passwd",
    }


async def test_a_second_pass_adds_only_what_has_come_since(
    containerd: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy"
    await copying.link_images(containerd, target, {(OVERLAY, "7")})
    (containerd / copying.CONTENT / "blobs/sha256/bb").write_text("later")
    await copying.link_images(containerd, target, {(OVERLAY, "7")})
    assert sorted(path.name for path in (target / copying.CONTENT / "blobs/sha256").iterdir()) == [
        "aa",
        "bb",
    ]


async def test_the_size_is_that_on_the_disk(tmp_path: Path) -> None:
    (tmp_path / "etcd").mkdir()
    (tmp_path / "etcd" / "db").write_bytes(b"x" * 1_000_000)
    size = await copying.size_bytes([*copying.data_folders(tmp_path), tmp_path / "missing"])
    assert 1_000_000 <= size < 1_100_000
    assert await copying.size_bytes([tmp_path / "missing"]) == 0


def content(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_text() for path in files}


def inode(path: Path) -> int:
    return path.stat().st_ino
