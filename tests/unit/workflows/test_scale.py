"""Scale a component: which value is set, what is refused, and how it is undone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.release.records import helm_secret, record
from vrooli import project
from vrooli.chart import values as chart_values
from vrooli.checks import preflight
from vrooli.checks.preflight import NotDeployableError
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Progress, silent
from vrooli.findings import Finding
from vrooli.release import Release, overrides
from vrooli.release.overrides import NONE, Overrides
from vrooli.release.records.source import RecordedSource
from vrooli.workflows.deploys.change import ReleaseChange
from vrooli.workflows.scaling import scale
from vrooli.workflows.scaling.values_change import Deployed, Edit, ValuesChange, ValuesOptions

PROD = ENVIRONMENTS["prod"]
RELEASE = Release(PROD.release, PROD.namespace, Path("kubeconfig"))
CHART = {"values": chart_values.read(project.chart_dir() / "values.yaml")}


def _kube() -> FakeCluster:
    return FakeCluster(namespace(PROD.namespace), namespace=PROD.namespace)


def _state(values: dict[str, Any], stored: Overrides = NONE) -> Deployed:
    cluster = SimpleNamespace(kubeconfig=RELEASE.kubeconfig)
    reached = cast(
        Any,
        SimpleNamespace(kube=_kube(), cluster=cluster),
    )
    source = RecordedSource(CHART, values)
    return Deployed(reached, RELEASE, record(1), source, stored, project.chart_dir())


AUTOSCALED = {"services": {"server": {"autoscaling": {"enabled": True, "minReplicas": 3}}}}


@pytest.mark.parametrize(
    ("name", "path", "before"),
    [
        ("ui", "replicaCount.ui", 2),
        ("nsfw-detector", "replicaCount.nsfwDetector", 1),
        ("server", "services.server.autoscaling.minReplicas", 3),
        ("postgres", "pgoPostgresql.instances", 1),
        ("pgbouncer", "pgoPostgresql.pgBouncer.replicas", 1),
        ("redis", "spotahomeRedis.redis.replicas", 2),
        ("sentinel", "spotahomeRedis.sentinel.replicas", 3),
    ],
)
def test_the_value_of_each_component_is_found(name: str, path: str, before: int) -> None:
    target = scale.find_target(name, 2, _state({**AUTOSCALED, "replicaCount": {"ui": 2}}))
    assert (target.path, target.before, target.after) == (path, before, 2)


def test_a_component_that_keda_scales_has_a_minimum() -> None:
    scaling = {"keda": {"enabled": True}, "minReplicas": 1, "maxReplicas": 4}
    target = scale.find_target("jobs", 2, _state({"services": {"jobs": {"autoscaling": scaling}}}))
    assert (target.path, target.before) == ("services.jobs.autoscaling.minReplicas", 1)


def test_every_component_has_a_value_of_the_chart() -> None:
    for component in scale.COMPONENTS.values():
        for path in (component.path, component.enabled):
            value: Any = CHART["values"]
            for key in path.split("."):
                value = value[key]


@pytest.mark.parametrize(
    ("name", "replicas", "problem"),
    [
        ("server", 11, "its minimum can be 1 to 10, not 11"),
        ("server", 0, "its minimum can be 1 to 10, not 0"),
        ("postgres", 0, "postgres needs at least 1 pod, not 0"),
        ("redis", 0, "redis needs at least 1 pod, not 0"),
    ],
)
def test_a_number_that_a_component_cannot_have_is_refused(
    name: str, replicas: int, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem):
        scale.find_target(name, replicas, _state(AUTOSCALED))


def test_a_component_that_is_not_deployed_is_refused() -> None:
    with pytest.raises(PrerequisiteError, match=r"services\.adminer\.enabled is false"):
        scale.find_target("adminer", 1, _state({"services": {"adminer": {"enabled": False}}}))


def test_an_unknown_component_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no component 'serber'") as error:
        scale.demand_component("serber")
    assert "server" in error.value.advice


def _change(state: Deployed, edit: Edit) -> ValuesChange:
    return ValuesChange(ValuesOptions(PROD), state, edit, "scale")


SCALED = Edit("vrooli scale ui 5 -e prod", {"replicaCount.ui": 5})


async def test_a_reset_returns_to_the_value_that_was_overridden() -> None:
    values = {"replicaCount": {"ui": 2}}
    kube = _kube()
    stored = await overrides.set_values(
        kube, RELEASE, {"replicaCount.ui": 5, "replicaCount.jobs": 4}, "x", values
    )
    deployed = {"replicaCount": {"ui": 5, "jobs": 4}}
    run = _change(_state(deployed, stored), Edit("reset", reset=["replicaCount.ui"]))
    assert run.values == {"replicaCount": {"ui": 2, "jobs": 4}}
    run = _change(_state(deployed, stored), Edit("reset", reset=["replicaCount.jobs"]))
    assert run.values == {"replicaCount": {"ui": 5}}


async def test_the_values_that_overrides_replace_follow_later_deploys() -> None:
    kube = _kube()
    await overrides.set_values(kube, RELEASE, {"replicaCount.ui": 5}, "x", {})
    await overrides.rebase(kube, RELEASE, {"replicaCount": {"ui": 3}})
    item = (await overrides.fetch(kube, RELEASE)).get("replicaCount.ui")
    assert item is not None
    assert (item.value, item.replaces) == (5, 3)


async def test_an_override_is_stored_before_helm_runs_and_undone_after_a_rollback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(change: ReleaseChange, progress: Progress) -> None:
        raise PrerequisiteError("Helm fails")

    monkeypatch.setattr(ReleaseChange, "apply", fail)
    run = _change(_state({}), SCALED)
    with pytest.raises(PrerequisiteError):
        await run.apply(Progress())
    assert (await overrides.fetch(run.kube, RELEASE)).values == {"replicaCount": {"ui": 5}}
    await run.undo()
    assert not await overrides.fetch(run.kube, RELEASE)


async def test_a_change_that_is_in_effect_needs_no_confirmation() -> None:
    kube = _kube()
    stored = await overrides.set_values(kube, RELEASE, SCALED.set_, SCALED.command)
    assert _change(_state({}), SCALED).change == "scale"
    assert _change(_state({}, stored), SCALED).change == ""
    again = Edit("reset", reset=["replicaCount.ui"])
    assert _change(_state({}, stored), again).change == "scale"
    assert _change(_state({}), again).change == ""


async def test_a_reset_that_removes_the_redis_master_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = await overrides.set_values(
        _kube(), RELEASE, {"spotahomeRedis.redis.replicas": 3}, "x", {}
    )
    state = _state({"spotahomeRedis": {"redis": {"replicas": 3}}}, stored)

    async def of(*words: object) -> object:
        async def master() -> object:
            return SimpleNamespace(name="rfr-vrooli-2")

        return SimpleNamespace(master=master)

    @asynccontextmanager
    async def deployed(options: ValuesOptions) -> AsyncIterator[Deployed]:
        yield state

    monkeypatch.setattr(scale.Redis, "of", of)
    monkeypatch.setattr(scale, "deployed", deployed)
    with pytest.raises(PrerequisiteError, match="would remove rfr-vrooli-2, the master"):
        await scale.scale(ValuesOptions(PROD), "redis", None, silent)


async def test_a_deploy_that_ended_since_the_values_were_read_is_not_overwritten() -> None:
    state = _state({})
    newer = helm_secret(RELEASE, record(2))
    newer["metadata"]["namespace"] = PROD.namespace
    cast(FakeCluster, state.reached.kube).add(newer)
    run = _change(state, SCALED)
    run.record = record(2)
    with pytest.raises(PrerequisiteError, match="finished in the meantime"):
        await run.check_again()


async def test_overrides_that_the_release_lacks_are_named_before_they_are_set_again() -> None:
    values = {"replicaCount.ui": 5, "replicaCount.jobs": 4}
    stored = await overrides.set_values(_kube(), RELEASE, values, "x")
    edit = Edit("reset", reset=["replicaCount.ui"])
    run = _change(_state({"replicaCount": {"ui": 5, "jobs": 4}}, stored), edit)
    assert run.change == "scale"
    run = _change(_state({"replicaCount": {"ui": 5}}, stored), edit)
    assert run.change == "scale; sets again: replicaCount.jobs = 4"


async def _check(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Check a scaling of the UI while pods of a workload do not fit."""

    async def check(change: ReleaseChange, progress: Progress) -> None:
        return None

    async def run(*words: object, **more: object) -> list[Finding]:
        return [Finding("capacity", name, "3 of 5 pods do not fit.", command="kubectl x")]

    monkeypatch.setattr(ReleaseChange, "check", check)
    monkeypatch.setattr(preflight, "run", run)
    state = _state({})
    target = scale.find_target("ui", 5, state)
    await scale._Scaling(ValuesOptions(PROD), state, target).check(Progress())


async def test_pods_without_room_are_refused_before_anything_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(NotDeployableError, match="ui cannot be scaled to 5; nothing was changed"):
        await _check(monkeypatch, "vrooli-prod-ui")


async def test_other_pods_without_room_do_not_prevent_a_scaling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await _check(monkeypatch, "vrooli-pg instance")
