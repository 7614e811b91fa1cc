"""Unpacked images that new clusters share."""

from __future__ import annotations

import asyncio
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from support.cluster.embedded_samples import layout, record
from vrooli.cluster.embedded.images import templates
from vrooli.errors import CommandError
from vrooli.events import Progress

pytestmark = pytest.mark.anyio
QUIET = Progress()


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path / "cache"))


def _archive(tmp_path: Path, digest: str = "sha256:1") -> Path:
    annotations = {"io.containerd.image.name": "localhost/x:1"}
    index = {"manifests": [{"digest": digest, "annotations": annotations}]}
    content = json.dumps(index).encode()
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        member = tarfile.TarInfo("index.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return tmp_path / "a.tar"


def _template(tmp_path: Path) -> Path:
    """A template as containerd would leave it, in a few files."""
    place = templates.folder() / templates.key(record(), _archive(tmp_path), "overlayfs")
    for name, content in (("content/blobs/1", "layer"), ("bolt/meta.db", "database")):
        (place / name).parent.mkdir(parents=True)
        (place / name).write_text(content)
    return place


def test_other_images_another_containerd_or_snapshotter_make_another_template(
    tmp_path: Path,
) -> None:
    first = templates.key(record(), _archive(tmp_path), "overlayfs")
    others = {
        templates.key(record(), _archive(tmp_path, "sha256:2"), "overlayfs"),
        templates.key(record(), _archive(tmp_path), "native"),
        templates.key(
            record(programs={"containerd": "/newer/containerd"}), _archive(tmp_path), "native"
        ),
    }
    assert first not in others
    assert len(others) == 3
    assert templates.key(record(), _archive(tmp_path), "overlayfs") == first


async def test_a_new_cluster_links_the_layers_and_copies_the_databases(tmp_path: Path) -> None:
    template, place = _template(tmp_path), layout(tmp_path)
    place.lock.parent.mkdir(parents=True, exist_ok=True)
    assert await templates.provide(place, record(), _archive(tmp_path), "overlayfs", QUIET)
    assert (place.containerd / "content/blobs/1").samefile(template / "content/blobs/1")
    database = place.containerd / "bolt/meta.db"
    assert database.read_text() == "database"
    assert not database.samefile(template / "bolt/meta.db")


async def test_a_cluster_that_exists_is_left_alone(tmp_path: Path) -> None:
    place = layout(tmp_path)
    place.containerd.mkdir(parents=True)
    assert not await templates.provide(place, record(), _archive(tmp_path), "overlayfs", QUIET)
    assert list(place.containerd.iterdir()) == []


async def test_a_template_that_cannot_be_made_is_not_there_afterwards(tmp_path: Path) -> None:
    """The program of the sample record doesn't exist, so unpacking fails."""
    place = layout(tmp_path)
    place.lock.parent.mkdir(parents=True, exist_ok=True)
    with pytest.raises(CommandError):
        await templates.provide(place, record(), _archive(tmp_path), "overlayfs", QUIET)
    assert not place.containerd.exists()
    assert list(templates.folder().glob("[0-9a-f]*")) == []


async def test_only_the_last_few_templates_are_kept(tmp_path: Path) -> None:
    _template(tmp_path)
    for number in range(5):
        older = templates.folder() / f"{number}"
        older.mkdir()
        os.utime(older, (number, number))
    place = layout(tmp_path)
    place.lock.parent.mkdir(parents=True, exist_ok=True)
    await templates.provide(place, record(), _archive(tmp_path), "overlayfs", QUIET)
    kept = {path.name for path in templates.folder().glob("[0-9a-f]*")}
    assert len(kept) == templates.MAX_TEMPLATES
    assert templates.key(record(), _archive(tmp_path), "overlayfs") in kept


async def test_two_clusters_at_once_make_one_template_in_turn(tmp_path: Path) -> None:
    _template(tmp_path)
    places = [layout(tmp_path, name) for name in ("one", "two")]
    for place in places:
        place.lock.parent.mkdir(parents=True, exist_ok=True)
    archive = _archive(tmp_path)
    made = await asyncio.gather(
        *(templates.provide(place, record(), archive, "overlayfs", QUIET) for place in places)
    )
    assert made == [True, True]
