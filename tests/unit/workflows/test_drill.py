"""The command drill: its refusals, its lock, its verdicts, its reports, and what it puts back."""

from __future__ import annotations

import asyncio
import re
import typing
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from vrooli.cli import drill as drill_command
from vrooli.diagnosis.interface import Diagnosis
from vrooli.drills import bench, healing
from vrooli.drills.faults import catalog
from vrooli.drills.faults.catalog import Fault
from vrooli.drills.model import Injection, NotApplicableError, RequestedLimits, Scope, nothing
from vrooli.drills.site import Site
from vrooli.drills.writer_objects import NAME as NAME_OF_WRITER
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import InterruptError, PrerequisiteError, UsageError, VrooliError
from vrooli.events import Outcome, StepEnded, silent
from vrooli.release.records import storage
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.drills import drill as workflow
from vrooli.workflows.drills import reports
from vrooli.workflows.drills.drill import DrillOptions
from vrooli.workflows.results.drills import DrillResult, DrillView
from vrooli.workflows.safeguards.consent import CONFIRMED, Consent

STAGING = ENVIRONMENTS["staging"]
NAME, OTHER = "etcd-killed", "vault-deleted"


class Release:
    """A release with two faults that are recorded together with the lock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cluster = FakeCluster(namespace("staging"), namespace="staging")
        self.acts: list[str] = []
        self.heals, self.is_ready = True, True

        @asynccontextmanager
        async def connect(text: str | None) -> AsyncIterator[Access]:
            reached = SimpleNamespace(kubeconfig=Path("kubeconfig"), urls=dict)
            yield Access(cast(Any, None), cast(Any, reached), self.cluster)

        async def record(*_: object) -> Any:
            return SimpleNamespace(manifests=(), values={})

        async def ready(site: Site, limit_s: float) -> None:
            if not self.is_ready:
                raise VrooliError("Pod/x is not ready.")

        async def examine(*_: object, **__: object) -> Any:
            return SimpleNamespace(diagnosis=Diagnosis((), ()))

        monkeypatch.setattr(access, "connect", connect)
        monkeypatch.setattr(storage, "fetch_record", record)
        monkeypatch.setattr(healing, "wait_until_ready", ready)
        monkeypatch.setattr(healing, "examine", examine)
        monkeypatch.setattr(healing, "POLL_S", 0.01)
        monkeypatch.setattr(bench, "AFTER_UNDO_S", 0.2)
        monkeypatch.setattr(bench, "UNDO_EVERY_S", 0.01)
        monkeypatch.setattr(bench, "UNDO_S", 0.2)
        for name in (NAME, OTHER):
            monkeypatch.setitem(
                catalog.BY_NAME, name, Fault(name, name, Scope.CLUSTER, self.plan(name))
            )

    def plan(self, name: str) -> Callable[[Site], Any]:
        async def inject() -> None:
            lock = self.cluster.find("Lease", "vrooli-staging-deploy")
            self.acts.append(f"{name}, {'locked' if lock else 'unlocked'}")

        async def is_healed() -> bool:
            return self.heals

        async def undo() -> None:
            self.acts.append(f"undo {name}")

        async def plan(site: Site) -> Injection:
            return Injection((name,), (name,), inject, is_healed, undo)

        return plan

    async def is_replaced(self) -> bool:
        """Whether it heals."""
        return self.heals

    def run(self, consent: Consent = CONFIRMED, **changes: Any) -> DrillResult:
        options = DrillOptions(**{"environment": STAGING, "faults": (NAME, OTHER), **changes})
        return asyncio.run(workflow.drill(options, silent, consent))


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Release:
    """A release that heals."""
    return Release(monkeypatch)


def test_faults_are_injected_under_the_lock_and_undone_one_after_the_other(
    release: Release,
) -> None:
    result = release.run()
    assert release.acts == [
        f"{NAME}, locked",
        f"undo {NAME}",
        f"{OTHER}, locked",
        f"undo {OTHER}",
    ]
    assert result.ok
    assert [view.outcome for view in result.drills] == ["passed", "passed"]
    assert release.cluster.find("Lease", "vrooli-staging-deploy") is None


def test_a_fault_that_does_not_heal_fails_and_the_next_is_not_run(release: Release) -> None:
    release.heals = False
    result = release.run(limits=RequestedLimits(heal_s=0.1))
    assert result.exit_code == 1
    assert release.acts == [f"{NAME}, locked", f"undo {NAME}"]
    assert [view.outcome for view in result.drills] == ["failed", "not run"]


def test_a_fault_that_heals_after_it_was_undone_needed_help(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    release.heals = False

    async def undo() -> None:
        release.heals = True

    async def is_healed() -> bool:
        return release.heals

    async def plan(site: Site) -> Injection:
        return Injection((NAME,), (NAME,), nothing, is_healed, undo)

    monkeypatch.setitem(catalog.BY_NAME, NAME, Fault(NAME, NAME, Scope.CLUSTER, plan))
    first, second = release.run(limits=RequestedLimits(heal_s=0.1)).drills
    assert (first.outcome, first.help_needed) == ("failed", True)
    assert "did not heal alone" in first.reasons[0]
    assert second.outcome == "passed"


def test_a_fault_that_does_not_apply_is_no_failure(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def plan(site: Site) -> Injection:
        raise NotApplicableError("there is no Vault")

    monkeypatch.setitem(catalog.BY_NAME, OTHER, Fault(OTHER, OTHER, Scope.CLUSTER, plan))
    result = release.run()
    assert result.ok
    assert result.drills[1].outcome == "not applicable"
    assert result.drills[1].reasons == ("there is no Vault",)


def test_an_interrupted_drill_is_undone_and_leaves_the_reports_of_the_others(
    release: Release, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def is_healed() -> bool:
        release.heals = False
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(60)
        return True

    async def undo() -> None:
        release.acts.append("undone")

    async def plan(site: Site) -> Injection:
        return Injection((OTHER,), (OTHER,), nothing, is_healed, undo)

    monkeypatch.setitem(catalog.BY_NAME, OTHER, Fault(OTHER, OTHER, Scope.CLUSTER, plan))
    with pytest.raises(asyncio.CancelledError):
        release.run(junit=tmp_path / "drill.xml")
    assert release.acts[-1] == "undone"
    assert release.cluster.find("Lease", "vrooli-staging-deploy") is None
    cases = ET.parse(tmp_path / "drill.xml").iter("testcase")  # noqa: S314 - our own
    assert [case.get("classname") for case in cases] == [f"vrooli.drill.{NAME}"]


def test_a_release_that_is_not_healthy_is_not_faulted(release: Release) -> None:
    release.is_ready = False
    with pytest.raises(PrerequisiteError, match="Pod/x is not ready"):
        release.run()
    assert release.acts == []


def test_staging_is_confirmed_first(release: Release) -> None:
    with pytest.raises(UsageError, match=f"inject into the whole cluster: {NAME}, {OTHER}"):
        release.run(Consent())
    with pytest.raises(InterruptError):
        release.run(Consent(ask=lambda _: False))
    assert release.acts == []


def test_the_plan_has_the_scope_of_each_fault() -> None:
    options = DrillOptions(STAGING, (NAME, "restore", "pgbouncer-deleted"))
    assert options.change == (
        f"inject into vrooli-staging: restore, pgbouncer-deleted and inject into the whole "
        f"cluster: {NAME}"
    )


def _release(namespace_: str, name: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/part-of": "vrooli", "app.kubernetes.io/instance": name}
    metadata = {"name": f"{name}-config", "namespace": namespace_, "labels": labels}
    return {"kind": "ConfigMap", "metadata": metadata}


OWN = _release("staging", "vrooli-staging")
NEIGHBOUR = _release("apps", "shop")
PRODUCTION = _release("production", "vrooli-prod")
IN_SHARED: dict[str, Any] = {"in_shared_cluster": True}
IN_PRODUCTION: dict[str, Any] = {"in_production": True}


@pytest.mark.parametrize(
    ("others", "allowed", "missing"),
    [
        ([NEIGHBOUR], {}, "--yes-to-shared-cluster"),
        ([namespace("dev")], {}, "--yes-to-shared-cluster"),
        ([PRODUCTION], {}, "--yes-to-shared-cluster and --yes-in-production"),
        ([PRODUCTION], IN_SHARED, "--yes-in-production"),
        ([namespace("production")], IN_SHARED, "--yes-in-production"),
        ([PRODUCTION], IN_PRODUCTION, "--yes-to-shared-cluster"),
    ],
)
def test_a_fault_of_the_cluster_is_refused_where_others_use_it(
    release: Release, others: list[dict[str, Any]], allowed: dict[str, Any], missing: str
) -> None:
    release.cluster.add(OWN, *others)
    with pytest.raises(UsageError, match="whole cluster: etcd-killed") as refused:
        release.run(faults=(NAME, "pgbouncer-deleted"), **allowed)
    assert f"use {missing}: " in refused.value.advice
    name = others[0]["metadata"].get("labels", {}).get("app.kubernetes.io/instance")
    title = f"release {name}" if name else f"namespace {others[0]['metadata']['name']}"
    assert title in refused.value.message
    assert "pgbouncer-deleted" not in refused.value.message
    assert release.acts == []
    assert release.cluster.changes == []


@pytest.mark.parametrize(
    ("others", "allowed"),
    [
        ([], {}),
        ([NEIGHBOUR], IN_SHARED),
        ([PRODUCTION, NEIGHBOUR], {**IN_SHARED, **IN_PRODUCTION}),
    ],
)
def test_a_fault_of_a_shared_cluster_is_injected_where_that_is_allowed(
    release: Release, others: list[dict[str, Any]], allowed: dict[str, Any]
) -> None:
    release.cluster.add(OWN, *others)
    assert release.run(**allowed).ok


def test_a_fault_of_the_release_does_not_look_for_others(release: Release) -> None:
    release.cluster.add(PRODUCTION)
    release.cluster.failures.forbid("list", "ConfigMap", namespace=None)
    result = release.run(faults=("pgbouncer-deleted",))
    assert [view.scope for view in result.drills] == ["release"]


@pytest.mark.parametrize("kind", ["ConfigMap", "Namespace"])
def test_others_that_cannot_be_listed_are_unknown_and_refuse(release: Release, kind: str) -> None:
    release.cluster.failures.forbid("list", kind, namespace=None)
    nothing_allowed: dict[str, Any] = {}
    for allowed in (nothing_allowed, IN_SHARED, IN_PRODUCTION):
        with pytest.raises(UsageError, match=r"is not known: .*forbidden"):
            release.run(**allowed)
    assert release.acts == []
    assert release.run(**IN_SHARED, **IN_PRODUCTION).ok


def test_what_cannot_be_put_back_is_tried_again(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    async def undo() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise VrooliError("the container is not running")

    async def plan(site: Site) -> Injection:
        return Injection((NAME,), (NAME,), nothing, release.is_replaced, undo)

    monkeypatch.setitem(catalog.BY_NAME, NAME, Fault(NAME, NAME, Scope.CLUSTER, plan))
    assert release.run().ok
    assert len(tries) == 3


def test_what_cannot_be_put_back_fails_the_drill_with_the_command_that_does_it(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def undo() -> None:
        raise VrooliError("the container is not running")

    async def plan(site: Site) -> Injection:
        return Injection(
            (NAME,), (NAME,), nothing, release.is_replaced, undo, "kubectl exec pg -- rm -f x"
        )

    monkeypatch.setitem(catalog.BY_NAME, NAME, Fault(NAME, NAME, Scope.CLUSTER, plan))
    first, second = release.run().drills
    assert first.outcome == "failed"
    assert "the container is not running" in first.reasons[0]
    assert "To remove it: `kubectl exec pg -- rm -f x`." in first.reasons[0]
    assert second.outcome == "not run"


def _left(kind: str, name: str, **labels: str) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "labels": {"app": NAME_OF_WRITER, **labels}}}


def test_any_drill_removes_first_what_a_killed_one_has_left(release: Release) -> None:
    release.cluster.add(_left("NetworkPolicy", "a"), _left("Role", "b"))
    release.cluster.add({"kind": "NetworkPolicy", "metadata": {"name": "c"}})
    release.is_ready = False
    with pytest.raises(PrerequisiteError, match="Pod/x is not ready"):
        release.run()
    assert release.cluster.find("NetworkPolicy", "a") is None
    assert release.cluster.find("Role", "b") is None
    assert release.cluster.find("NetworkPolicy", "c") is not None


def test_a_clean_up_injects_nothing(release: Release) -> None:
    release.cluster.add(_left("NetworkPolicy", "a"), PRODUCTION)
    release.is_ready = False
    result = release.run(Consent(), faults=(), clean_up=True)
    assert result.removed == ("NetworkPolicy/a",)
    assert result.drills == ()
    assert result.ok
    assert release.acts == []
    assert release.run(faults=(), clean_up=True).removed == ()


def test_a_clean_up_of_production_needs_no_option() -> None:
    assert DrillOptions(ENVIRONMENTS["prod"], clean_up=True).names == ()


def test_production_needs_an_option_of_its_own() -> None:
    with pytest.raises(UsageError, match="not injected into production"):
        DrillOptions(ENVIRONMENTS["prod"])
    assert DrillOptions(ENVIRONMENTS["prod"], in_production=True).names[-1] == "restore"


def test_each_drill_is_an_event_with_its_verdict(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[StepEnded] = []
    options = DrillOptions(STAGING, (NAME,))
    asyncio.run(
        workflow.drill(
            options, lambda event: ended.append(event) if isinstance(event, StepEnded) else None
        )
    )
    assert [(event.step, event.outcome) for event in ended] == [
        ("clean-up", Outcome.UNCHANGED),
        ("health", Outcome.UNCHANGED),
        (NAME, Outcome.CHANGED),
    ]


HOSTILE = DrillView(
    fault="etcd-killed",
    title="etcd <script>alert(1)</script>",
    scope="cluster",
    outcome="failed",
    reasons=("\x1b]0;x\x07 & \u202e<b>",),
    targets=("process of etcd",),
    diagnoses=2,
    lost={"postgres": 1},
)
SKIPPED = DrillView(
    fault="vault-deleted",
    title="Vault",
    scope="cluster",
    outcome="not applicable",
    reasons=("no Vault",),
)


def _result(*views: DrillView) -> DrillResult:
    return DrillResult(
        release="vrooli-dev", namespace="dev", loaded=True, elapsed_s=2.0, drills=views
    )


def test_the_page_has_no_script_and_only_inert_text() -> None:
    page = reports.to_page(_result(HOSTILE, SKIPPED))
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page
    assert "1 of 2 faults failed" in page
    assert "default-src 'none'" in page
    assert "http:" not in page


def test_junit_has_a_failure_and_a_skip() -> None:
    root = ET.fromstring(reports.to_junit(_result(HOSTILE, SKIPPED)))  # noqa: S314
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("2", "1", "1")
    failure = root.find(".//failure")
    assert failure is not None
    assert "lost writes: 1" in str(failure.text)


def test_the_help_lists_all_faults_by_scope() -> None:
    (_, argument) = typing.get_args(drill_command.Faults)
    listed = re.fullmatch(
        r"Faults of the release: (.*)\. Faults of the whole cluster: (.*)\.", argument.help
    )
    assert listed is not None
    options = DrillOptions(STAGING)
    assert listed[1].split(", ") == list(options.of_scope(Scope.RELEASE))
    assert listed[2].split(", ") == list(options.of_scope(Scope.CLUSTER))
