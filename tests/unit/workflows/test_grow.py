"""Grow volumes: which grow and how, and what is refused before anything changes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.release.records import record
from vrooli import project
from vrooli.backups.outages import Outage
from vrooli.chart import engine
from vrooli.chart import values as chart_values
from vrooli.databases.postgres.session import Postgres
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Progress
from vrooli.operators.pgo import names
from vrooli.operators.redis.volumes import claim_labels
from vrooli.release import Release, overrides
from vrooli.release.records.source import RecordedSource
from vrooli.steps import Done
from vrooli.workflows.deploys.change import ReleaseChange
from vrooli.workflows.scaling import grow, growth_plan
from vrooli.workflows.scaling.growth_plan import Data
from vrooli.workflows.scaling.values_change import Deployed, ValuesOptions

PROD = ENVIRONMENTS["prod"]
RELEASE = Release(PROD.release, PROD.namespace, Path("kubeconfig"))
CHART = {"values": chart_values.read(project.chart_dir() / "values.yaml")}
VALUES: dict[str, Any] = {"persistence": {"postgres": {"size": "1Gi"}}}


def _claim(name: str, role: dict[str, str], size: str, capacity: str = "") -> dict[str, Any]:
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "labels": {names.CLUSTER_LABEL: "vrooli-pg", **role}},
        "spec": {"storageClassName": "a", "resources": {"requests": {"storage": size}}},
        "status": {"capacity": {"storage": capacity or size}},
    }


DATA = {names.INSTANCE_SET_LABEL: "instance1", names.ROLE_LABEL: "pgdata"}
BACKUP = {names.REPOSITORY_LABEL: "repo1"}


def _state(*claims: dict[str, Any], expands: bool, **values: Any) -> Deployed:
    storage_class = {
        "kind": "StorageClass",
        "metadata": {"name": "a"},
        "allowVolumeExpansion": expands,
    }
    kube = FakeCluster(namespace(PROD.namespace), storage_class, *claims, namespace=PROD.namespace)
    reached = cast(
        Any, SimpleNamespace(kube=kube, cluster=SimpleNamespace(kubeconfig=RELEASE.kubeconfig))
    )
    rendered = engine.render(VALUES, release=RELEASE.name, namespace=RELEASE.namespace)
    held = cast(Any, SimpleNamespace(manifests=rendered, metadata=record(1).metadata))
    source = RecordedSource(CHART, {**VALUES, **values})
    return Deployed(reached, RELEASE, held, source, overrides.NONE, project.chart_dir())


@pytest.mark.parametrize("size", ["", "x", "-1Gi", "0", "5 Gi", "5GiB", "1e"])
def test_a_text_that_is_no_size_is_refused(size: str) -> None:
    with pytest.raises(UsageError, match="is not a size"):
        growth_plan.demand_size(size)


@pytest.mark.parametrize("size", ["5Gi", "500M", "1.5Ti", "1e9"])
def test_quantities_are_sizes(size: str) -> None:
    growth_plan.demand_size(size)


async def test_volumes_whose_class_allows_it_are_expanded() -> None:
    state = _state(_claim("a", DATA, "1Gi"), _claim("r", BACKUP, "1Gi"), expands=True)
    planned = await growth_plan.plan(state, Data.POSTGRES, "5Gi")
    assert (planned.before, planned.smaller, planned.replaces) == ("1Gi", ["a"], False)
    planned = await growth_plan.plan(state, Data.BACKUPS, "5Gi")
    assert (planned.smaller, planned.replaces) == (["r"], False)


async def test_postgres_is_replaced_where_the_class_cannot_expand() -> None:
    state = _state(_claim("a", DATA, "1Gi"), _claim("b", DATA, "1Gi"), expands=False)
    planned = await growth_plan.plan(state, Data.POSTGRES, "5Gi")
    assert (planned.smaller, planned.replaces) == (["a", "b"], True)
    run = grow._Growing(ValuesOptions(PROD), state, planned)
    assert run.skipped_checks == ("data",)
    assert [step.name for step in run.act_steps()] == ["release", "volumes", "healthy"]
    expected = f"replace 2 volumes of postgres of {RELEASE} to 5Gi each"
    assert run.change == expected


async def test_only_volumes_that_are_smaller_are_left_to_grow() -> None:
    state = _state(_claim("a", DATA, "1Gi"), _claim("b", DATA, "5Gi"), expands=False)
    state.source.values["persistence"] = {"postgres": {"size": "5Gi"}}
    with pytest.raises(UsageError, match="smaller"):
        await growth_plan.plan(state, Data.POSTGRES, "4Gi")
    assert (await growth_plan.plan(state, Data.POSTGRES, "5Gi")).smaller == ["a"]


async def test_a_volume_that_is_not_expanded_yet_counts_as_small() -> None:
    state = _state(_claim("a", DATA, "5Gi", capacity="1Gi"), expands=True)
    assert (await growth_plan.plan(state, Data.POSTGRES, "5Gi")).smaller == ["a"]


@pytest.mark.parametrize("size", ["1023Mi", "1G", "500Mi"])
async def test_a_smaller_size_is_refused(size: str) -> None:
    state = _state(_claim("a", DATA, "1Gi"), expands=True)
    with pytest.raises(UsageError, match=f"{size} is smaller, and volumes cannot shrink"):
        await growth_plan.plan(state, Data.POSTGRES, size)


async def test_backups_that_cannot_be_expanded_are_refused_with_the_class() -> None:
    state = _state(_claim("r", BACKUP, "1Gi"), expands=False)
    with pytest.raises(PrerequisiteError, match="storage class a does not allow expansion"):
        await growth_plan.plan(state, Data.BACKUPS, "5Gi")


def _redis_claim(number: int, size: str = "1Gi") -> dict[str, Any]:
    claim = _claim(f"data-rfr-vrooli-rf-{number}", {}, size)
    claim["metadata"]["labels"] = claim_labels("vrooli-rf")
    return claim


async def test_redis_is_replaced_if_another_pod_has_the_data() -> None:
    state = _state(_redis_claim(0), _redis_claim(1), expands=False)
    planned = await growth_plan.plan(state, Data.REDIS, "5Gi")
    assert (len(planned.smaller), planned.replaces) == (2, True)
    state = _state(_redis_claim(0), expands=False)
    with pytest.raises(PrerequisiteError, match="and its only pod has the data"):
        await growth_plan.plan(state, Data.REDIS, "5Gi")


async def test_a_release_without_the_database_is_refused() -> None:
    state = _state(expands=True, pgoPostgresql={"enabled": False})
    with pytest.raises(PrerequisiteError, match=r"pgoPostgresql\.enabled is false"):
        await growth_plan.plan(state, Data.POSTGRES, "5Gi")


async def test_what_an_expansion_waits_for_is_reported() -> None:
    waiting = _claim("a", DATA, "5Gi", capacity="1Gi")
    waiting["status"]["conditions"] = [{"type": "FileSystemResizePending", "status": "True"}]
    state = _state(waiting, expands=True)
    planned = await growth_plan.plan(state, Data.POSTGRES, "5Gi")
    run = grow._Growing(ValuesOptions(PROD), state, planned)
    assert run._unexpanded([waiting]) == "a has 1Gi (FileSystemResizePending)"
    assert run._unexpanded([_claim("a", DATA, "5Gi")]) == ""


@pytest.mark.parametrize(("recorded", "is_run"), [("5Gi", False), ("1Gi", True)])
async def test_a_replacement_that_continues_runs_helm_only_if_the_size_is_not_deployed(
    recorded: str, is_run: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[Progress] = []

    async def apply(change: ReleaseChange, progress: Progress) -> Done:
        runs.append(progress)
        return Done(changed=True)

    monkeypatch.setattr(ReleaseChange, "apply", apply)
    values = {"persistence": {"postgres": {"size": "5Gi"}}}
    state = _state(_claim("a", DATA, "1Gi"), _claim("b", DATA, "5Gi"), expands=False, **values)
    planned = await growth_plan.plan(state, Data.POSTGRES, "5Gi")
    run = grow._Growing(ValuesOptions(PROD), state, planned)
    old = {"persistence": {"postgres": {"size": recorded}}}
    rendered = engine.render(old, release=RELEASE.name, namespace=RELEASE.namespace)
    held = SimpleNamespace(revision=record(1).revision, manifests=rendered)
    run.record = cast(Any, held)
    await run.apply(Progress())
    assert bool(runs) is is_run


async def test_a_replacement_that_lacks_only_its_end_continues() -> None:
    values = {"persistence": {"postgres": {"size": "5Gi"}}}
    state = _state(_claim("a", DATA, "5Gi"), _claim("b", DATA, "5Gi"), expands=False, **values)
    planned = await growth_plan.plan(state, Data.POSTGRES, "5Gi")
    assert (planned.instances, planned.smaller, planned.replaces) == (1, [], True)
    assert grow._Growing(ValuesOptions(PROD), state, planned).change


class Silent:
    """A PostgreSQL that does not answer until its volumes have been expanded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, kube: FakeCluster) -> None:
        self.kube, self.reads = kube, 0
        monkeypatch.setattr(grow.outages, "find", self.find)
        monkeypatch.setattr(ReleaseChange, "check", self.check)
        monkeypatch.setattr(grow, "POLL_S", 0.0)

    async def find(self, postgres: Postgres) -> Outage | None:
        self.reads += 1
        is_large = self.kube.body("PersistentVolumeClaim", "a")["status"]["capacity"] != ONE
        return None if is_large else Outage("No space left on device.")

    async def check(self, *_: object) -> Done:
        return Done(changed=False)


ONE = {"storage": "1Gi"}
CLUSTER = {
    "kind": "PostgresCluster",
    "metadata": {
        "name": "vrooli-pg",
        "annotations": {"meta.helm.sh/release-name": RELEASE.name},
    },
    "spec": {
        "instances": [
            {"name": "i", "dataVolumeClaimSpec": {"resources": {"requests": {"storage": "1Gi"}}}}
        ]
    },
}


async def _growing(monkeypatch: pytest.MonkeyPatch, *, expands: bool) -> tuple[Any, FakeCluster]:
    """A growth of a PostgreSQL that does not answer."""
    state = _state(_claim("a", DATA, "1Gi"), expands=expands)
    kube = cast(FakeCluster, state.reached.kube)
    kube.add(CLUSTER)
    Silent(monkeypatch, kube)
    planned = await growth_plan.plan(state, Data.POSTGRES, "5Gi")
    return grow._Growing(ValuesOptions(PROD), state, planned), kube


async def test_a_full_disk_is_expanded_before_helm_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    run, kube = await _growing(monkeypatch, expands=True)
    await run.check(Progress())
    steps = run.act_steps()
    assert [(step.name, step.after) for step in steps] == [
        ("expansion", ()),
        ("release", ("expansion",)),
        ("volumes", ("release",)),
        ("healthy", ("volumes",)),
    ]

    def expand(request: Any) -> None:
        if request.verb == "patch" and request.kind == "PostgresCluster":
            kube.add(_claim("a", DATA, "5Gi"))

    kube.server.on_request = expand
    done = await steps[0].ensure(Progress())
    assert done.detail == "it answers with 5Gi"
    (instance,) = kube.body("PostgresCluster", "vrooli-pg")["spec"]["instances"]
    assert instance["dataVolumeClaimSpec"]["resources"]["requests"]["storage"] == "5Gi"


async def test_a_full_disk_that_cannot_be_expanded_is_refused_before_anything_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, kube = await _growing(monkeypatch, expands=False)
    with pytest.raises(PrerequisiteError, match=r"No space left on device\. Nothing") as failure:
        await run.check(Progress())
    assert "vrooli restore --to latest --into NAMESPACE" in failure.value.advice
    assert kube.changes == []


async def test_a_postgresql_that_answers_needs_no_expansion_before_helm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, kube = await _growing(monkeypatch, expands=True)
    kube.add(_claim("a", DATA, "1Gi", capacity="2Gi"))
    await run.check(Progress())
    assert [step.name for step in run.act_steps()] == ["release", "volumes", "healthy"]
