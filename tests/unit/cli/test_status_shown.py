"""The commands that `status` prints after its problems."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from vrooli.cli import status
from vrooli.findings import Verdict
from vrooli.workflows.results.clusters import ClusterView, ComponentView
from vrooli.workflows.results.status import (
    OperatorView,
    ReleaseView,
    StatusResult,
    VaultView,
    WatchResult,
    WorkloadView,
)

RUNNING = ClusterView(name="vrooli", kind="embedded", state="running")
PROBLEM = "something is not ready"
WORKLOAD = WorkloadView(kind="Deployment", name="server", ready=False)
DIAGNOSE = "Run `vrooli diagnose` to find the causes."
CHECK = "Run `vrooli check` to check the requirements of a release."


def operator(*, ready: bool) -> OperatorView:
    return OperatorView(name="postgres-operator", namespace="postgres-operator", ready=ready)


def component(name: str, state: str) -> ComponentView:
    return ComponentView(name=name, state=state, pid=None, restarts=0, detail="")


def degraded(*components: ComponentView) -> ClusterView:
    return RUNNING.model_copy(update={"state": "degraded", "components": components})


def lines_after_problems(
    show: Callable[..., None], result: StatusResult | WatchResult, requested: str | None = None
) -> list[str]:
    """The lines that follow the last problem."""
    out = io.StringIO()
    show(result, Console(file=out, width=200), requested=requested)
    return [line for line in out.getvalue().partition(f"  ✗ {PROBLEM}\n")[2].splitlines() if line]


def next_lines(
    *, environment: str = "dev", requested: str | None = None, **parts: Any
) -> list[str]:
    result = StatusResult(
        ok=False,
        verdict=Verdict.PROBLEMS,
        environment=environment,
        problems=(PROBLEM,),
        **{"cluster": RUNNING, **parts},
    )
    return lines_after_problems(status._show, result, requested)


@pytest.mark.parametrize(
    ("parts", "lines"),
    [
        ({"workloads": (WORKLOAD,)}, [DIAGNOSE]),
        ({"workloads": (WORKLOAD,), "operators": (operator(ready=False),)}, [DIAGNOSE]),
        ({"operators": (operator(ready=False),)}, [CHECK]),
        ({"operators": (operator(ready=True),), "vault": VaultView(state="not ready")}, [CHECK]),
        # The problem of an absent release or cluster names the command itself.
        ({"operators": (operator(ready=True),), "vault": VaultView(state="absent")}, []),
        ({"cluster": RUNNING.model_copy(update={"state": "stopped"})}, []),
    ],
    ids=["workload", "both", "operator", "Vault", "no release", "no cluster"],
)
def test_problems_lead_to_a_command(parts: dict[str, Any], lines: list[str]) -> None:
    assert next_lines(**parts) == lines


@pytest.mark.parametrize(
    ("components", "name"),
    [
        ((component("kube-apiserver", "waiting"), component("etcd", "failed")), "etcd"),
        ((component("kube-router", "off"), component("etcd", "starting")), "etcd"),
        ((component("etcd", "running"),), "kube-apiserver"),
    ],
    ids=["failed", "starting", "all run"],
)
def test_a_degraded_cluster_leads_to_the_log_of_a_component(
    components: tuple[ComponentView, ...], name: str
) -> None:
    lines = next_lines(cluster=degraded(*components))
    assert lines == [f"Run `vrooli cluster logs {name} --name vrooli` to read the log of {name}."]


def test_a_degraded_cluster_with_a_release_leads_to_both_commands() -> None:
    cluster = degraded(component("etcd", "failed"))
    lines = next_lines(cluster=cluster, workloads=(WORKLOAD,))
    assert lines[0].startswith("Run `vrooli cluster logs etcd ")
    assert lines[1:] == [DIAGNOSE]


def test_the_command_is_about_the_same_release() -> None:
    parts = {"environment": "prod", "requested": "context:a"}
    assert next_lines(workloads=(WORKLOAD,), **parts) == [
        "Run `vrooli diagnose -e prod --cluster context:a` to find the causes."
    ]
    assert next_lines(operators=(operator(ready=False),), **parts) == [
        "Run `vrooli check -e prod --cluster context:a` to check the requirements of a release."
    ]


def test_the_problems_of_a_watch_lead_to_diagnose() -> None:
    result = WatchResult(
        ok=False,
        environment="dev",
        elapsed_s=1,
        release=ReleaseView(name="vrooli-dev", namespace="dev", status="deployed"),
        lock=None,
        objects=(),
        problems=(PROBLEM,),
    )
    assert lines_after_problems(status._show_watched, result) == [DIAGNOSE]
    healthy = result.model_copy(update={"problems": ()})
    assert lines_after_problems(status._show_watched, healthy) == []


def test_the_version_of_an_operator_and_what_is_to_know_about_it_are_printed() -> None:
    known = operator(ready=True).model_copy(
        update={"version": "1.2.4", "source": "foreign", "notes": ("1.2.4 was archived",)}
    )
    result = StatusResult(
        ok=True,
        verdict=Verdict.HEALTHY,
        environment="dev",
        cluster=RUNNING,
        operators=(known,),
    )
    out = io.StringIO()
    status._show(result, Console(file=out, width=200))
    (row,) = [line for line in out.getvalue().splitlines() if "postgres-operator" in line]
    assert row.split()[-2:] == ["1.2.4", "foreign"]
    assert "1.2.4 was archived" in out.getvalue()
