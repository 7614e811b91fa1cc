"""Images that the values name are deployed or refused, and never replaced silently."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from vrooli.chart import values as chart_values
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError
from vrooli.workflows.development import local_images

DEV, PROD = ENVIRONMENTS["dev"], ENVIRONMENTS["prod"]


def others(environment: Any, change: dict[str, Any]) -> dict[str, str]:
    values = chart_values.merge(chart_values.load(environment), change)
    return local_images.find_others(environment, values)


@pytest.mark.parametrize("environment", [DEV, PROD], ids=lambda item: item.name)
def test_the_images_of_the_environment_are_replaced(environment: Any) -> None:
    assert others(environment, {}) == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"services": {"server": {"tag": "1.2.3"}}}, {"server": "localhost/vrooli/server:1.2.3"}),
        (
            {"services": {"jobs": {"repository": "example.com/jobs"}}},
            {"jobs": "example.com/jobs:dev"},
        ),
        (
            {"services": {"nsfwDetector": {"tag": f"dev@sha256:{'a' * 64}"}}},
            {"nsfw-detector": f"localhost/vrooli/nsfw-detector:dev@sha256:{'a' * 64}"},
        ),
        ({"rotation": {"tag": "2"}}, {"rotator": "localhost/vrooli/rotator:2"}),
        ({"spotahomeRedis": {"image": "redis:7"}}, {"redis": "redis:7"}),
        ({"services": {"ui": {"tag": "dev"}}}, {}),
    ],
)
def test_an_image_that_is_not_built_here_is_a_choice(
    change: dict[str, Any], expected: dict[str, str]
) -> None:
    assert others(DEV, change) == expected


def test_in_production_only_the_values_of_the_user_are_a_choice() -> None:
    assert others(PROD, {"rotation": {"tag": "2"}}).keys() == {"rotator"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"enabled": True, "image": "localhost/vrooli/redis-exporter:1.45"}, ["redis-exporter"]),
        ({"enabled": False, "image": "localhost/vrooli/redis-exporter:1.45"}, []),
        ({"enabled": True, "image": "example.com/exporter:1"}, []),
    ],
)
def test_an_image_of_monitoring_is_loaded_if_the_values_enable_it(
    change: dict[str, Any], expected: list[str]
) -> None:
    values = chart_values.merge(chart_values.load(DEV), {"spotahomeRedis": {"exporter": change}})
    assert local_images.find_monitoring(DEV, values) == expected


class Cluster:
    """A cluster with one image."""

    def __init__(self, kind: str, present: str) -> None:
        self.kind, self.name, self._present = kind, "test", present

    async def image_digests(self, names: Collection[str]) -> Mapping[str, str]:
        return {name: "sha256:0" for name in names if name == self._present}


@pytest.mark.parametrize(
    ("kind", "present", "is_refused"),
    [("embedded", "", True), ("embedded", "a:1", False), ("minikube", "", False)],
)
def test_an_image_is_refused_where_pods_could_not_get_it(
    kind: str, present: str, is_refused: bool
) -> None:
    work = local_images.demand_available(Cluster(kind, present), {"server": "a:1"})  # type: ignore[arg-type]
    if is_refused:
        with pytest.raises(UsageError, match="The values name the image a:1 for server"):
            asyncio.run(work)
    else:
        asyncio.run(work)
