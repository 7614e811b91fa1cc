"""Images of the pods."""

from __future__ import annotations

from typing import Any

import pytest

from support.chart.rendering import render
from vrooli.chart.manifest import Manifest

WITH = {"enabled": True}


def container(manifest: Manifest) -> dict[str, Any]:
    """The only container of a Deployment."""
    (only,) = manifest.body["spec"]["template"]["spec"]["containers"]
    return dict(only)


@pytest.mark.parametrize(
    ("repository", "image"),
    [
        ("server", "docker.io/somebody/server:1"),
        ("ghcr.io/other/server", "ghcr.io/other/server:1"),
        ("other/server", "other/server:1"),
    ],
)
def test_a_repository_with_a_slash_is_a_full_path(repository: str, image: str) -> None:
    settings = {
        "dockerhubUsername": "somebody",
        "services": {"server": {"repository": repository, "tag": "1"}},
    }
    assert container(render(settings)["Deployment/demo-server"])["image"] == image


def test_an_image_can_be_pinned_by_digest() -> None:
    digest = f"@sha256:{'0a' * 32}"
    images = {
        "services": {"server": {"repository": "a.io:5000/b/server", "tag": f"1.2{digest}"}},
        "spotahomeRedis": {"image": f"redis:7{digest}"},
        "pgoPostgresql": {"image": f"postgres{digest}"},
    }
    objects = render(images)
    server = container(objects["Deployment/demo-server"])
    assert server["image"] == f"a.io:5000/b/server:1.2{digest}"
    assert {"name": "VROOLI_VERSION", "value": "1.2"} in server["env"]
    assert objects["RedisFailover/vrooli-rf"].body["spec"]["redis"]["image"] == f"redis:7{digest}"
    assert objects["PostgresCluster/vrooli-pg"].body["spec"]["image"] == f"postgres{digest}"


def test_all_redis_images_use_the_pull_policy() -> None:
    """The operator's default for an exporter is to pull at each start."""
    objects = render({"image": {"pullPolicy": "Never"}, "spotahomeRedis": {"exporter": WITH}})
    spec = objects["RedisFailover/vrooli-rf"].body["spec"]
    parts = [spec[part] for part in ("redis", "sentinel")]
    assert {part["imagePullPolicy"] for part in parts} == {"Never"}
    assert {part["exporter"]["imagePullPolicy"] for part in parts} == {"Never"}
