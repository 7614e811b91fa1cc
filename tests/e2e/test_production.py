"""Staging and production as their values say, under load: faults, rotations, a deploy, no loss.

With ``--log-cli-level=INFO`` pytest shows what each fault cost, as the rows of a table.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from support.cluster.live import Live
from support.failures import faults_under_load
from support.failures.faults_under_load import Bench, Cost, writing
from support.release import moments, production, rotation
from support.release.artifacts import Source
from support.release.helm_cli import PlainHelm
from support.release.posts import stored
from support.release.production import FIRST, SECOND, Site
from support.release.rotation import Changes
from vrooli.databases.postgres.session import Postgres
from vrooli.drills.faults import pods
from vrooli.drills.http_load import Load, Losses, load
from vrooli.events import silent
from vrooli.kube import Kube
from vrooli.rotation.model import Rotated
from vrooli.workflows.restores.end import finish_restore
from vrooli.workflows.restores.postgres import PostgresRestoreOptions
from vrooli.workflows.results.drills import BAD
from vrooli.workflows.switchover import Database

log = logging.getLogger(__name__)
# It would tell of every request.
logging.getLogger("httpx").setLevel(logging.WARNING)

pytestmark = [pytest.mark.root, pytest.mark.anyio]

# How long nothing is done but the chart's tests, and no password may change meanwhile, seconds; and
# that it is looked at often enough to say so.
RESTED_S, LONG_RESTED_S = 60.0, 600.0
LEAST_POLLS = 4
# The requests per second; fewer in runs beside other tests, on two cores that do the rest as well.
PER_S, SOME_PER_S = 20.0, 10.0
# How much longer a database may be away in those runs.
SOME_PATIENCE = 3.0
# The chart's tests, as the helm program runs them.
TESTS = 5
IMAGE = f"localhost/vrooli/server:{FIRST}"
SERVERS = "app.kubernetes.io/name=vrooli,app.kubernetes.io/component=server,pod-template-hash"


@dataclass(frozen=True)
class Fault:
    """What is done to a release, and the most that it may cost.

    Attributes:
        do: Does it; returns when what was lost has a successor.
        failed: Requests that may fail; None where an outage is what a fault is.
        away_s: The longest that a database may take no write, seconds.
    """

    do: Callable[[Site, Bench], Awaitable[object]]
    failed: int | None = 0
    away_s: float = 5.0


async def _lose_primary(site: Site, bench: Bench) -> None:
    pod = await faults_under_load.primary(bench.kube, site.release.namespace)
    await faults_under_load.lose(
        bench.kube, site.release.namespace, pod, faults_under_load.INSTANCES, kill=True
    )


async def _lose_master(site: Site, bench: Bench) -> None:
    pod = await faults_under_load.redis_master(bench.kube, site.release.namespace)
    await faults_under_load.lose(
        bench.kube, site.release.namespace, pod, faults_under_load.REDISES, kill=True
    )


def _lose_one(
    labels: str, namespace: str | None = None
) -> Callable[[Site, Bench], Awaitable[None]]:
    async def do(site: Site, bench: Bench) -> None:
        place = namespace or site.release.namespace
        pod = (await faults_under_load.names(bench.kube, place, labels))[0]
        await faults_under_load.lose(bench.kube, place, pod, labels)

    return do


FAULTS: Mapping[str, Fault] = {
    "PostgreSQL's primary killed": Fault(_lose_primary, failed=None, away_s=40.0),
    "Redis' master killed": Fault(_lose_master, failed=None, away_s=30.0),
    "a pgBouncer deleted": Fault(_lose_one(faults_under_load.BOUNCERS)),
    "a Traefik deleted": Fault(_lose_one(pods.TRAEFIK, pods.TRAEFIK_NAMESPACE)),
    "a server deleted": Fault(_lose_one(SERVERS)),
    "Redis' password rotated": Fault(
        lambda site, bench: rotation.rotate_redis(bench.kube, site.release), away_s=15.0
    ),
    "PostgreSQL's password rotated": Fault(
        lambda site, bench: rotation.rotate_postgres(bench.kube, site.release)
    ),
    "PostgreSQL switched over": Fault(
        lambda site, bench: site.switch_over(Database.POSTGRES), away_s=10.0
    ),
    "Redis switched over": Fault(lambda site, bench: site.switch_over(Database.REDIS)),
    "another version deployed": Fault(lambda site, bench: site.deploy(SECOND)),
    "that deploy rolled back": Fault(lambda site, bench: site.roll_back()),
}
# Each once, in one of the two.
SOME: Mapping[str, tuple[str, ...]] = {
    "staging": (
        "PostgreSQL's primary killed",
        "a pgBouncer deleted",
        "Redis' password rotated",
    ),
    "prod": (
        "Redis' master killed",
        "PostgreSQL's password rotated",
        "another version deployed",
        "that deploy rolled back",
        "a server deleted",
    ),
}
# How often each password is rotated in a row, and all faults are drilled.
ROTATIONS = 20
DRILLS = 3


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions of both environments."""
    source = Source(tmp_path_factory.mktemp("source"))
    return production.build(source, tmp_path_factory.mktemp("out"))


@pytest.fixture
async def site(
    request: pytest.FixtureRequest, live: Live, kube: Kube, artifacts: Path, tmp_path: Path
) -> AsyncIterator[Site]:
    """One of the two environments, alone on the cluster, which ends with the last of them."""
    async with production.site(request.param, live, kube, artifacts, tmp_path) as made:
        yield made


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("site", ["staging", "prod"], indirect=True)
async def test_an_environment_runs_as_its_values_say_and_loses_nothing(
    site: Site, kube: Kube, record_property: Callable[[str, object], None]
) -> None:
    chosen = SOME[site.environment.name]
    await _suffers(site, kube, chosen, RESTED_S, record_property, SOME_PER_S, SOME_PATIENCE)
    if site.environment.name == "staging":
        async with moments.writing(await Postgres.of(kube, site.release)) as writer:
            released = PostgresRestoreOptions(site.environment, cluster=site.cluster)
            await moments.restore_once(writer, released, moments.PAUSE_S * SOME_PATIENCE)
            await finish_restore(released, silent)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("site", ["staging", "prod"], indirect=True)
async def test_an_environment_loses_nothing_in_any_fault(
    site: Site, kube: Kube, record_property: Callable[[str, object], None]
) -> None:
    await _suffers(site, kube, tuple(FAULTS), LONG_RESTED_S, record_property)
    async with moments.writing(await Postgres.of(kube, site.release)) as writer:
        released = PostgresRestoreOptions(site.environment, cluster=site.cluster)
        await moments.restore_twice(writer, released)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("secret", [Rotated.POSTGRES, Rotated.REDIS])
@pytest.mark.parametrize("site", ["prod"], indirect=True)
async def test_many_rotations_fail_no_request(site: Site, kube: Kube, secret: Rotated) -> None:
    async with (
        writing(kube, site.release, IMAGE) as writer,
        load(site.target) as sent,
    ):
        bench, costs = Bench(kube, site.release, sent, writer), []
        for number in range(ROTATIONS):
            name = f"{secret}, rotation {number + 1}"
            costs.append(await bench.cost(name, partial(site.rotate, secret)))
            log.info(costs[-1].row)
    assert [cost for cost in costs if cost.failed or any(cost.lost.values())] == []
    await _judge_posts(kube, site, sent)


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("site", ["prod"], indirect=True)
async def test_all_faults_are_drilled_within_their_limits(site: Site, tmp_path: Path) -> None:
    problems: list[str] = []
    for number in range(DRILLS):
        result = await site.drill(tmp_path / f"drill-{number}.html")
        for drilled in result.drills:
            log.info(drilled.model_dump_json())
            if drilled.outcome in BAD:
                problems.append(f"{drilled.fault}, drill {number + 1}: {drilled.reasons}")
        assert not result.removed
    assert problems == []


async def _suffers(
    site: Site,
    kube: Kube,
    chosen: tuple[str, ...],
    rest_s: float,
    record_property: Callable[[str, object], None],
    per_s: float = PER_S,
    patience: float = 1.0,
) -> None:
    """Test the release and change nothing, then put it through the faults, all under load."""
    costs: list[Cost] = []
    async with (
        writing(kube, site.release, IMAGE) as writer,
        load(site.target, per_s) as sent,
        rotation.changes(kube, site.release) as changed,
    ):
        bench = Bench(kube, site.release, sent, writer)
        tests = PlainHelm("helm", site.release).test()
        said, _ = await asyncio.gather(tests, asyncio.sleep(rest_s))
        assert said.count("Phase:") == said.count("Succeeded") == TESTS, said
        _rested(changed, sent)
        for name in chosen:
            costs.append(await bench.cost(name, partial(FAULTS[name].do, site, bench)))
            log.info(costs[-1].row)
    for cost in costs:
        record_property(cost.name, cost.row)
    rotated = sum(name == "PostgreSQL's password rotated" for name in chosen)
    # Each rotation gives both roles a new password, one before and one after the pods' restart.
    assert set(changed.counts("secret").values()) == {rotated}, changed.counts("")
    assert set(changed.counts("role").values()) == {rotated}, changed.counts("")
    await _judge_posts(kube, site, sent)
    for cost in costs:
        _demand(cost, patience)


def _rested(changed: Changes, sent: Load) -> None:
    """Nothing has happened: no request failed, and no password, verifier or Secret changed."""
    assert changed.polls > LEAST_POLLS
    assert not any(changed.counts("").values()), changed.counts("")
    assert sent.failures == []


def _demand(cost: Cost, patience: float) -> None:
    limits = FAULTS[cost.name]
    assert not sum(cost.lost.values()), cost
    assert limits.failed is None or cost.failed <= limits.failed, cost
    away_s = max(cost.postgres.longest_s, cost.redis.longest_s)
    assert away_s <= limits.away_s * patience, cost


async def _judge_posts(kube: Kube, site: Site, sent: Load) -> None:
    """Each post that was acknowledged is there, and once."""
    namespace = site.release.namespace
    pod = await faults_under_load.primary(kube, namespace)
    query = ["psql", "--dbname", "vrooli", "--tuples-only", "--no-align", "--command", sent.query]
    assert sent.writes
    rows = await kube.exec(namespace, pod, query, "database")
    assert sent.judge(stored(rows)) == Losses()
