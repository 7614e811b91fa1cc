"""The plain helm program, 3 and 4: install, test, upgrade, roll back, uninstall; no data is lost.

Each time it is a second release beside the live one, in a namespace of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from support.cluster import vault_admin
from support.cluster.live import Live
from support.release.databases import KEYS, PRIMARY, REDIS, pods, read_data, write_data
from support.release.helm_cli import PAGE_ONLY, SMALL, PlainHelm
from vrooli import project
from vrooli.chart import engine
from vrooli.chart.manifest import RESOURCE_POLICY, Manifest
from vrooli.environments import ENVIRONMENTS
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.release import uninstall as release_uninstall
from vrooli.release.records import storage
from vrooli.release.rollout import wait

pytestmark = pytest.mark.root

PROGRESS = Progress()
# Helm 3 and 4.
PROGRAMS = ("helm3", "helm")
# As long as Helm allows: 53 characters.
LONGEST = "the-longest-name-that-helm-lets-any-release-have-here"
PREVIOUS = "0.0.1"
_, CURRENT = engine.package_identity(project.chart_dir())
ROLL_S = 240.0
ENDS_S = 120.0
# What the operators make of the chart's objects; PostgreSQL's stays with its data.
OPERATORS_MAKE = (("apps/v1", "StatefulSet"), ("apps/v1", "Deployment"), ("v1", "Service"))


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart as a lower version.

    Nothing has been released yet, so it is this one's templates under another version: what
    differs is every label and name that holds the version, and the values of the tests.
    """
    return engine.package(tmp_path_factory.mktemp("previous"), version=PREVIOUS)


@pytest.fixture
async def second(live: Live, kube: Kube) -> AsyncIterator[Callable[[str, str], Release]]:
    """Makes releases in namespaces of their own, which are deleted afterwards."""
    made: list[Release] = []

    def make(name: str, namespace: str) -> Release:
        made.append(Release(name, namespace, live.kubeconfig))
        return made[-1]

    yield make
    for release in made:
        await release_uninstall.remove_data(kube, release, PROGRESS)


def values_file(folder: Path, name: str, values: dict[str, object]) -> Path:
    """A values file of the test's own."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


async def ready(kube: Kube, release: Release) -> None:
    """Wait until everything of a release is ready, the databases included."""
    await wait.until_ready(
        kube, await storage.fetch_manifests(kube, release), PROGRESS, timeout_s=300
    )


async def until(holds: Callable[[], Awaitable[bool]], limit_s: float, what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + limit_s
    while not await holds():
        assert time.monotonic() < deadline, f"{what} took more than {limit_s:.0f} s"
        await asyncio.sleep(1.0)


async def rolled(kube: Kube, release: Release, before: dict[str, dict[str, str]]) -> None:
    """Wait until the databases' pods of before are gone, and all is ready again."""

    async def none_left() -> bool:
        now = [await pods(kube, release.namespace, labels) for labels in before]
        old = {uid for found in before.values() for uid in found.values()}
        return not old & {uid for found in now for uid in found.values()}

    await until(none_left, ROLL_S, "rolling the databases")
    await ready(kube, release)


async def left(kube: Kube, noted: Iterable[Manifest]) -> set[str]:
    """What is still there of the objects that a release noted, its tests included."""
    found = set()
    for item in noted:
        if await kube.get(item.api_version, item.kind, item.name, item.namespace) is not None:
            found.add(item.key)
    return found


async def whole_life(helm: PlainHelm, kube: Kube, previous: Path, folder: Path) -> None:
    """All of a release's life with databases, whose pods are rolled twice."""
    release = helm.release
    files = [ENVIRONMENTS["dev"].values_file, SMALL]
    larger = {"limits": {"memory": "448Mi", "cpu": "500m"}}
    changed = {
        "config": {"logLevel": "error"},
        "pgoPostgresql": {"resources": {"limits": {"memory": "544Mi"}}},
        "spotahomeRedis": {"redis": {"resources": larger}},
    }
    await helm.lint(project.chart_dir(), *files)
    await helm.install(previous, *files)
    await ready(kube, release)
    tested = await helm.test()
    assert tested.count("Succeeded") == 4
    await write_data(kube, release.namespace)
    written = await read_data(kube, release.namespace)
    assert written[1] == str(sum(n * n for n in range(1, KEYS + 1)))

    before = {labels: await pods(kube, release.namespace, labels) for labels in (PRIMARY, REDIS)}
    await helm.upgrade(project.chart_dir(), *files, values_file(folder, "changed", changed))
    await rolled(kube, release, before)
    assert await read_data(kube, release.namespace) == written
    assert await charts(kube, release) == [PREVIOUS, CURRENT]

    before = {labels: await pods(kube, release.namespace, labels) for labels in (PRIMARY, REDIS)}
    await helm.rollback(1)
    await rolled(kube, release, before)
    assert await read_data(kube, release.namespace) == written
    assert await charts(kube, release) == [PREVIOUS, CURRENT, PREVIOUS]
    assert (await helm.test()).count("Succeeded") == 4
    await gone(helm, kube)


@asynccontextmanager
async def vault_access(kube: Kube, live: Live, release: Release) -> AsyncIterator[None]:
    """Bind Vault's role to the release's namespace, too, for the length of the block."""
    namespaces = [release.namespace, live.environment.namespace]
    await vault_admin.set_role(kube, bound_service_account_namespaces=namespaces)
    try:
        yield
    finally:
        await vault_admin.set_role(kube)


async def charts(kube: Kube, release: Release) -> list[str]:
    """The chart's version of each revision."""
    return [
        found.chart.removeprefix("vrooli-")
        for found in await storage.fetch_revisions(kube, release)
    ]


async def gone(helm: PlainHelm, kube: Kube) -> None:
    """Uninstall a release, and see that nothing but what it keeps is there."""
    release = helm.release
    noted = await storage.fetch_manifests(kube, release)
    kept = {item.key for item in noted if item.annotations.get(RESOURCE_POLICY) == "keep"}
    await helm.uninstall()

    async def only_kept() -> bool:
        return await left(kube, noted) == kept

    await until(only_kept, ENDS_S, "uninstalling")
    mine = f"app.kubernetes.io/instance={release.name}"

    async def no_pods() -> bool:
        return not await pods(kube, release.namespace, mine)

    await until(no_pods, ENDS_S, "the end of the pods")
    for api_version, kind in OPERATORS_MAKE:
        found = await kube.list(api_version, kind, release.namespace)
        names = {item["metadata"]["name"] for item in found}
        assert {name for name in names if not name.startswith("vrooli-pg-")} == set(), kind


@pytest.mark.long
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_whole_life_keeps_every_row_and_key(
    kube: Kube,
    live: Live,
    second: Callable[[str, str], Release],
    previous: Path,
    tmp_path: Path,
    program: str,
) -> None:
    helm = PlainHelm(program, second(LONGEST, f"plain-{program}-whole"))
    async with vault_access(kube, live, helm.release):
        await whole_life(helm, kube, previous, tmp_path)
    # The first release, in its own namespace, saw nothing of it.
    await ready(kube, Release.of(live.environment, live.kubeconfig))


async def page_life(helm: PlainHelm, kube: Kube, previous: Path) -> None:
    """Install, test, upgrade, roll back and uninstall the page alone."""
    files = [ENVIRONMENTS["dev"].values_file, SMALL, PAGE_ONLY]
    await helm.lint(project.chart_dir(), *files)
    await helm.install(previous, *files)
    assert (await helm.test()).count("Succeeded") == 2
    await helm.upgrade(project.chart_dir(), *files)
    await helm.rollback(1)
    assert await charts(kube, helm.release) == [PREVIOUS, CURRENT, PREVIOUS]
    assert (await helm.test()).count("Succeeded") == 2
    await gone(helm, kube)


@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_life_without_databases_leaves_nothing(
    kube: Kube,
    live: Live,
    second: Callable[[str, str], Release],
    previous: Path,
    program: str,
) -> None:
    helm = PlainHelm(program, second(LONGEST, f"plain-{program}"))
    async with vault_access(kube, live, helm.release):
        await page_life(helm, kube, previous)
    # The first release, in its own namespace, saw nothing of it.
    await ready(kube, Release.of(live.environment, live.kubeconfig))
