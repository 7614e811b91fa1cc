"""What these tests share: an API server that runs no pods, with the operators' definitions."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.cluster import api_server
from vrooli import programs
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.operators.installation import crds

# Where the Go modules of the operators, the Gateway API and KEDA keep their definitions.
DEFINITIONS = {
    "postgres-operator": "config/crd/bases/*.yaml",
    "redis-operator": "manifests/*.yaml",
    "vault-secrets-operator": "chart/crds/*.yaml",
    "gateway-api": "config/crd/standard/*.yaml",
    "keda": "config/crd/bases/keda.sh_scaledobjects.yaml",
}


@pytest.fixture(scope="package")
def bare_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of an API server with the definitions of DEFINITIONS, and no nodes."""
    found = asyncio.run(programs.ensure(["etcd", "kube-apiserver"], Progress()))
    with api_server.running(found, tmp_path_factory.mktemp("chart-apiserver")) as path:
        asyncio.run(_apply_definitions(path))
        yield path


@pytest.fixture
async def bare_kube(bare_kubeconfig: Path) -> AsyncIterator[Kube]:
    """A client of that API server."""
    async with await Kube.connect(bare_kubeconfig) as kube:
        yield kube


async def _apply_definitions(kubeconfig: Path) -> None:
    async with await Kube.connect(kubeconfig) as kube:
        for name, pattern in DEFINITIONS.items():
            folder = await programs.module_dir(name, Progress())
            await crds.apply(kube, await crds.read(sorted(folder.glob(pattern))), Progress())


@pytest.fixture
def cut_connections() -> Iterator[None]:
    """For tests that end requests under way: a connection may be left to the garbage collector.

    A request that is cancelled in the moment in which it gets its connection can't close it any
    more; its socket is closed when it is collected, which is here and not in a later test.
    """
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
