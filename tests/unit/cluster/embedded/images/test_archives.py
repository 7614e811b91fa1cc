"""What is loaded into containerd, and under which names."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.cluster.image_archives import index_entry, write_index
from vrooli.cluster import image_archive
from vrooli.cluster.embedded.images import archives
from vrooli.cluster.embedded.images.containerd_client import parse_tasks
from vrooli.errors import VrooliError
from vrooli.process import Completed


def test_the_images_that_are_there_are_read_from_the_listing() -> None:
    listing = (
        "REF                        TYPE                   DIGEST      SIZE      PLATFORMS\n"
        "localhost/vrooli/pause:1   application/vnd.oci    sha256:12   1.4 MiB   linux/amd64 -\n"
    )
    assert archives.parse_images(listing) == {"localhost/vrooli/pause:1": "sha256:12"}


def test_only_running_tasks_are_asked_to_end() -> None:
    listing = "TASK    PID    STATUS\nabc     17    RUNNING\ndef     0    STOPPED\n"
    assert parse_tasks(listing) == [17]


A, B = "r.example/a:1", "r.example/b:1"


class Containerd:
    """The images of a containerd by name, as ``ctr`` lists, imports and tags them.

    Attributes:
        images: The digest of each name.
        archived: What an import adds.
        calls: All changes.
        races: What another program changes before each tag.
    """

    def __init__(self, images: dict[str, str], archived: dict[str, str]) -> None:
        self.images, self.archived = dict(images), archived
        self.calls: list[list[str]] = []
        self.races: dict[str, str] = {}

    async def run(self, argv: list[str], **_: object) -> Completed:
        match argv:
            case ["images", "ls", *filters]:
                names = [name for name in self.images if f'name=="{name}"' in filters]
                lines = [f"{name} type {self.images[name]} 1" for name in names]
                return Completed("\n".join(["REF TYPE DIGEST SIZE", *lines]), "", 0)
            case ["images", "import", _]:
                self.images |= self.archived
            case ["images", "tag", "--force", name, target]:
                self.images |= self.races
                self.images[target] = self.images[name]
            case _:
                pytest.fail(f"ctr was called with {argv}")
        self.calls.append(argv[1:2] + argv[-2:])
        return Completed("", "", 0)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs on an archive of two images and a containerd with images."""
    manifests = [index_entry(image_archive.NAME_ANNOTATIONS[0], name) for name in (A, B)]
    archive = write_index(tmp_path / "a.tar", {"manifests": manifests})
    monkeypatch.setattr(archives, "ctr", lambda record, socket, *words: list(words))
    layout: Any = SimpleNamespace(
        containerd_socket=Path("socket"), images_lock=tmp_path / "images.lock"
    )

    async def act(
        action: Any, images: dict[str, str], races: dict[str, str] | None = None
    ) -> Containerd:
        containerd = Containerd(images, {name: f"sha256:{name}" for name in (A, B)})
        containerd.races = races or {}
        monkeypatch.setattr(archives, "run", containerd.run)
        await action(layout, None, archive)
        return containerd

    return act


ALL = {A: f"sha256:{A}", B: f"sha256:{B}"}
NAMED = {f"r.example/a@sha256:{A}": f"sha256:{A}", f"r.example/b@sha256:{B}": f"sha256:{B}"}


async def test_an_image_gets_a_name_with_its_digest_once(place: Any) -> None:
    (first, *_) = NAMED
    containerd = await place(archives.name_by_digest, {**ALL, first: NAMED[first]})
    assert containerd.calls == [["tag", B, f"r.example/b@sha256:{B}"]]
    assert containerd.images == {**ALL, **NAMED}


async def test_a_name_with_another_content_is_replaced(place: Any) -> None:
    wrong = dict.fromkeys(NAMED, "sha256:evil")
    containerd = await place(archives.name_by_digest, {**ALL, **wrong})
    assert containerd.images == {**ALL, **NAMED}


async def test_a_tag_that_another_run_has_replaced_is_loaded_again(place: Any) -> None:
    containerd = await place(archives.name_by_digest, {**ALL, A: "sha256:other"})
    assert containerd.calls[0][0] == "import"
    assert containerd.images == {**ALL, **NAMED}


async def test_a_tag_that_changes_meanwhile_is_an_error(place: Any) -> None:
    with pytest.raises(VrooliError, match=r"containerd has sha256:other as r\.example/a@sha256"):
        await place(archives.name_by_digest, ALL, {A: "sha256:other"})


async def test_only_missing_and_different_images_are_imported(place: Any) -> None:
    assert (await place(archives.load, ALL)).calls == []
    assert (await place(archives.load, {**ALL, B: "sha256:other"})).images == ALL


async def test_an_import_that_loads_nothing_is_an_error(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> None:
        """Exits with 0."""

    monkeypatch.setattr(archives, "import_images", nothing)
    with pytest.raises(VrooliError, match="containerd has no image as"):
        await place(archives.load, {})
