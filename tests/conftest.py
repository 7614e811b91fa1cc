"""What the suites share: the backend of async tests, and the one live release."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Helm's engine in this process renders 40 % faster with fewer collections of Go's garbage. Only its
# library reads the variable, when it is loaded: other programs keep their usual memory.
os.environ["GOGC"] = "400"
import helm_python  # noqa: F401

del os.environ["GOGC"]
from support import lanes
from support.cluster import clusters
from support.cluster.live import CLUSTER, VALUES, Live
from vrooli import environments, project
from vrooli.events import Event, StepEnded
from vrooli.kube import Kube

# The default profile is deterministic: it draws the same examples in each run, so that CI cannot
# fail by chance. There is no deadline, since the time of an example depends on the machine.
settings.register_profile("vrooli", deadline=None, derandomize=True)
# Random examples, to search for new failures: --hypothesis-profile=thorough.
settings.register_profile("thorough", deadline=None, max_examples=10_000, derandomize=False)
settings.load_profile("vrooli")


def pytest_configure(config: pytest.Config) -> None:
    """Begin a run, in the process that starts all others."""
    if not is_worker(config):
        clusters.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End it; pytest-xdist gives interrupted tests too little time to delete their clusters."""
    if not is_worker(config):
        clusters.end_run()


def is_worker(config: pytest.Config) -> bool:
    """Whether another process of pytest starts the tests of this one."""
    return hasattr(config, "workerinput")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> lanes.Lanes:
    """Share the tests between the processes of a parallel run."""
    return lanes.Lanes(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run last what takes the live release away, to have its cluster for itself."""
    lanes.demand_places(items)
    items.sort(key=lambda item: item.path.name == "test_production.py")


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before the clock of pytest-timeout starts
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Wait for the builds that a test needs, and for its turn."""
    lanes.wait_for_builds(item)
    with lanes.turn(item):
        return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Give way to the tests that another process runs on clusters; fail without their programs."""
    if is_worker(item.config):
        lanes.yield_processor(item)
    lanes.demand_builds(item)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the product does."""
    return "asyncio"


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    """Bring the whole up once for all tests that need it, and delete it after the last."""
    from vrooli.workflows.clusters import embedded  # noqa: PLC0415 - only where a cluster is wanted
    from vrooli.workflows.development.develop import develop  # noqa: PLC0415
    from vrooli.workflows.options import DevelopOptions  # noqa: PLC0415

    if os.geteuid() != 0:
        pytest.skip("the embedded cluster needs root")
    environment = environments.environment("dev")
    ports = {"api": 0, "http": 0, "https": 0}
    options = DevelopOptions(
        environment, cluster=f"embedded:{CLUSTER}", ports=ports, values=(VALUES,)
    )
    steps: list[StepEnded] = []

    def listen(event: Event) -> None:
        if isinstance(event, StepEnded):
            steps.append(event)

    keep = clusters.is_live_kept()
    if not keep:
        clusters.note_live(is_there=True)
        asyncio.run(embedded.delete(CLUSTER, listen))
    steps.clear()
    try:
        result = asyncio.run(develop(options, listen))
        yield Live(
            cluster=str(options.cluster),
            environment=environment,
            kubeconfig=Path(result.kubeconfig),
            urls=dict(result.urls),
            values=options.values,
            steps=tuple(steps),
        )
    finally:
        if not keep:
            asyncio.run(embedded.delete(CLUSTER, listen))
            clusters.note_live(is_there=False)


@pytest.fixture
async def kube(live: Live) -> AsyncIterator[Kube]:
    """A client of the live release's cluster."""
    async with await Kube.connect(live.kubeconfig) as client:
        yield client


@pytest.fixture(scope="session")
def cluster_kubeconfig(live: Live) -> Path:
    """A kubeconfig of a real API server with the three operators' CRDs."""
    return live.kubeconfig


@pytest.fixture
def state_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of the test's own, on a path that is short enough for Unix sockets."""
    folder = project.state_dir() / f"t{os.getpid()}"
    monkeypatch.setenv("VROOLI_STATE_DIR", str(folder))
    yield folder
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
