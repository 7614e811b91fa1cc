"""The Redis operator as a previous version of this product would have installed it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support.cluster import image_archives
from vrooli import process
from vrooli.events import Progress
from vrooli.operators import REDIS, Operator, Site, Source
from vrooli.operators.installation import install as installation
from vrooli.operators.model import Distribution
from vrooli.operators.redis import install as redis_install
from vrooli.programs import golang

VERSION = "1.2.3"
IMAGE = f"localhost/vrooli/redis-operator:{VERSION}"
MODULE = "github.com/spotahome/redis-operator"
SUM = "h1:Q3IXQR7lmu41o6WBLa8dDIdwoLciKj66aIU+FA2xyZA="
# How long its download and its build may take, seconds.
BUILD_S = 1800.0


def older() -> Operator:
    """Its description."""
    current = REDIS.distributions[Source.GO_MODULE]
    distribution = Distribution(VERSION, current.deployment, (), current.release)
    return replace(REDIS, distributions={Source.GO_MODULE: distribution})


async def install(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install its chart; its pods may not be ready yet.

    Args:
        site: The cluster; its module decides whose chart and definitions are installed.
        monkeypatch: Names the older image meanwhile.
    """
    with monkeypatch.context() as patched:
        patched.setattr(redis_install, "IMAGE", IMAGE)
        await installation.install(older(), Source.GO_MODULE, site, Progress())


async def build(folder: Path) -> tuple[Path, Callable[[str, Progress], Awaitable[Path]]]:
    """Build it from its Go module.

    Returns:
        An archive with its image, and what gives the folder of its module.
    """
    go = await golang.toolchain(Progress())
    caches = {"GOMODCACHE": golang.caches() / "mod", "GOCACHE": golang.caches() / "build"}
    env = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", **{k: str(v) for k, v in caches.items()}}
    asked = await process.run(
        [go, "mod", "download", "-json", f"{MODULE}@v{VERSION}"],
        env=env,
        cwd=folder,
        timeout_s=BUILD_S,
    )
    downloaded = json.loads(asked.output)
    assert downloaded["Sum"] == SUM
    module = Path(downloaded["Dir"])
    program = folder / "redisoperator"
    await process.run(
        [go, "build", "-trimpath", "-o", str(program), "./cmd/redisoperator"],
        cwd=module,
        env=env,
        timeout_s=BUILD_S,
    )
    archive = folder / "image.tar"
    image_archives.write_program(archive, IMAGE, program, "/usr/local/bin/redis-operator")

    async def module_dir(name: str, progress: Progress) -> Path:
        del name, progress
        return module

    return archive, module_dir
