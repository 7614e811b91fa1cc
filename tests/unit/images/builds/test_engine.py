"""A run of builds and its store: listed while nobody sweeps, tidied without risk to the build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vrooli.errors import CommandError
from vrooli.events import Event, Progress, StepProgressed
from vrooli.images import catalog, records
from vrooli.images.builds import base, engine
from vrooli.locks import try_lock


class Store:
    """A builder that pulls at once, notes what is locked while it lists, and can't prune."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.locked: list[bool] = []

    async def images(self) -> dict[str, str]:
        with (records.folder() / "building.lock").open("w") as file:
            self.locked.append(not try_lock(file))
        return dict(self.names)

    async def pull(self, source: str, reference: str, timeout_s: float) -> None:
        self.names[reference] = "sha256:1"

    async def prune(self, before: float) -> None:
        raise CommandError(("buildah", "images"), None, "")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(engine, "REQUIRED_DISK_BYTES", 0)
    monkeypatch.setenv(base.VARIABLE, "registry.example/debian:12")
    records.folder().mkdir(parents=True)
    return Store()


async def test_images_are_listed_only_while_nobody_can_remove_them(store: Any) -> None:
    await engine.ensure(["base"], {}, Progress(), builder=store)
    assert store.locked
    assert all(store.locked)


async def test_a_store_that_cannot_be_tidied_is_told_and_fails_no_build(store: Any) -> None:
    events: list[Event] = []
    made = await engine.ensure(["base"], {}, Progress("images", events.append), builder=store)
    assert made["base"].built
    assert made["base"].id == "sha256:1"
    assert catalog.find_image("base").pinned(made["base"].inputs_hash) in store.names
    said = [event.detail for event in events if isinstance(event, StepProgressed)]
    assert any("not pruned: `buildah images` did not end in time" in line for line in said)
