"""A release whose pods run edited files: who updates them, and who may change the release."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from support.fakes.cluster import FakeCluster
from support.fakes.healthy_cluster import add_release
from vrooli.chart.manifest import Manifest
from vrooli.development import overlay
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.kube import common_labels
from vrooli.release import Release, process_identity
from vrooli.release.records.metadata import End
from vrooli.workflows.development import edited_pods
from vrooli.workflows.health import problems
from vrooli.workflows.results.status import EditedView, ReleaseView

DEV = ENVIRONMENTS["dev"]


def deployment(process: str, component: str = "server") -> Manifest:
    annotations = {overlay.WATCHED_BY: "ada@host, process 7", overlay.PROCESS: process}
    labels = {common_labels.COMPONENT: component}
    template = {"metadata": {"annotations": annotations if process else {}, "labels": labels}}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "vrooli-dev-server", "namespace": "dev"},
        "spec": {"template": template},
    }
    return Manifest("apps/v1", "Deployment", "vrooli-dev-server", "dev", "", body)


def process_of(pid: int) -> str:
    """The identity of another process of this machine."""
    machine = process_identity.process().split("/")[0]
    return f"{machine}/{pid}/{process_identity._started(pid) or 1}"


def test_only_pods_of_a_process_are_edited() -> None:
    assert edited_pods.view([deployment("")]) is None
    assert edited_pods.view([deployment(process_of(os.getppid()))]) == EditedView(
        workloads=("vrooli-dev-server",), watched_by="ada@host, process 7", abandoned=False
    )
    dead = edited_pods.view([deployment(process_of(2**22 + 1))])
    assert dead is not None
    assert dead.abandoned


def test_pods_that_nobody_updates_any_more_are_a_problem() -> None:
    view = EditedView(workloads=("a", "b"), watched_by="ada@host, process 7", abandoned=True)
    release = ReleaseView(name="r", namespace="n", status="deployed", outcome="ready", edited=view)
    (problem,) = problems._of_release(DEV, release)
    assert problem.startswith("a, b run edited files, but ada@host, process 7 has ended: run ")


def test_services_on_a_host_are_told_apart_from_edited_files() -> None:
    manifest = deployment(process_of(2**22 + 1))
    manifest.body["spec"]["template"]["metadata"]["annotations"][overlay.ON_HOST] = "true"
    view = edited_pods.view([manifest])
    assert view is not None
    assert view.on_host
    release = ReleaseView(name="r", namespace="n", status="deployed", outcome="ready", edited=view)
    (problem,) = problems._of_release(DEV, release)
    assert "vrooli-dev-server pass requests on to a host, but ada@host, process 7" in problem


@pytest.mark.parametrize(
    ("process", "is_refused"),
    [(process_of(os.getppid()), True), (process_of(2**22 + 1), False), ("other/1/1", False)],
)
def test_develop_refuses_a_release_only_while_its_watch_runs(
    process: str, is_refused: bool
) -> None:
    release = Release.of(DEV, Path("/kubeconfig"))
    cluster = FakeCluster(dict(deployment(process).body))
    add_release(cluster, release, [dict(deployment(process).body)], "deployed", End.READY)
    work = edited_pods.demand_unwatched(cluster, release)
    if is_refused:
        with pytest.raises(PrerequisiteError, match="on this host, of ada@host, process 7"):
            asyncio.run(work)
    else:
        asyncio.run(work)


def test_a_rollback_to_a_page_whose_files_nobody_sends_is_refused() -> None:
    dead = process_of(2**22 + 1)
    with pytest.raises(UsageError, match="The pods of ui ran edited files"):
        edited_pods.demand_files([deployment(dead), deployment(dead, "ui")])


def test_a_rollback_to_images_or_to_a_watch_that_runs_is_not_refused() -> None:
    own = process_identity.process()
    edited_pods.demand_files([deployment(process_of(2**22 + 1)), deployment(own, "ui")])
    edited_pods.demand_files([deployment("", "ui")])
