"""Images go to the registries that are named, and their digests come back."""

from __future__ import annotations

from typing import cast

import pytest

from vrooli.chart import values
from vrooli.errors import CommandError, UsageError, VrooliError
from vrooli.events import Progress
from vrooli.images import BuiltImage, is_pushable, push, require_registries
from vrooli.images.builders.interface import Builder
from vrooli.images.push import PLACEHOLDER
from vrooli.project import chart_dir

UI = BuiltImage("ui", "localhost/vrooli/ui:dev", "hash", "id-of-ui", built=False)
PUBLIC = ("registry.example.com/x/ui:1", "registry.example.com/y/ui:1")


class Pushing:
    """Stands for a builder that only pushes."""

    name = "buildah"

    def __init__(self, said: str = "") -> None:
        self.pushed: list[tuple[str, str]] = []
        self._said = said

    async def push(self, image_id: str, reference: str) -> str:
        if self._said:
            raise CommandError(("buildah", "push"), 125, self._said)
        self.pushed.append((image_id, reference))
        return f"sha256:{len(self.pushed)}"


async def test_each_name_is_pushed_and_its_digest_told() -> None:
    builder = Pushing()
    told = await push({"ui": UI}, {"ui": PUBLIC}, Progress(), builder=cast(Builder, builder))
    assert told == {PUBLIC[0]: "sha256:1", PUBLIC[1]: "sha256:2"}
    assert builder.pushed == [(UI.id, name) for name in PUBLIC]


async def test_a_push_that_is_refused_says_where_and_how_to_log_in() -> None:
    builder = cast(Builder, Pushing("unauthorized: authentication required"))
    with pytest.raises(VrooliError, match="authentication required") as refused:
        await push({"ui": UI}, {"ui": PUBLIC}, Progress(), builder=builder)
    assert PUBLIC[0] in refused.value.message
    assert "`buildah login`" in refused.value.advice


def test_the_names_of_this_machines_images_are_no_registrys() -> None:
    assert not is_pushable("localhost/vrooli/ui:1.2.3")
    assert is_pushable("localhost:5000/vrooli/ui:1.2.3")
    assert is_pushable("docker.io/someone/ui:1.2.3")


def test_the_charts_placeholder_is_no_registry() -> None:
    assert values.read(chart_dir() / "values.yaml")["dockerhubUsername"] == PLACEHOLDER
    with pytest.raises(UsageError, match="placeholder for your registry") as refused:
        require_registries({"ui": [f"docker.io/{PLACEHOLDER}/ui:1.2.3"]})
    assert "image.registry" in refused.value.advice


def test_a_push_to_nowhere_is_refused() -> None:
    with pytest.raises(UsageError, match="do not name a registry"):
        require_registries({"ui": [], "server": []})
