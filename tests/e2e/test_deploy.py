"""The production flow on the live release: build, deploy, fail, go back; it ends as it began."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import shutil
import tarfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support.cluster.live import Live
from support.release.artifacts import DEV, Source
from vrooli.artifact import model
from vrooli.chart import values
from vrooli.checks.preflight import NotDeployableError
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Event, ObjectProgressed, ObjectState, StepEnded, StepStarted, silent
from vrooli.kube import Kube
from vrooli.release import Release, overrides
from vrooli.release.failure_handling import DeployFailedError
from vrooli.release.records import storage
from vrooli.workflows.deploys import history
from vrooli.workflows.deploys.deploy import deploy
from vrooli.workflows.deploys.rollback import RollbackOptions, rollback
from vrooli.workflows.health.watch import watch
from vrooli.workflows.options import DeployOptions
from vrooli.workflows.results.releases import DeployResult
from vrooli.workflows.results.status import WatchResult
from vrooli.workflows.scaling.scale import scale
from vrooli.workflows.scaling.values_change import ValuesOptions

pytestmark = [pytest.mark.root, pytest.mark.anyio]

# How long a deploy may look before it is at work, seconds; on a busy machine.
BEGUN_S = 240.0
GOOD, NO_IMAGE, CRASHING = "1.2.3", "1.2.4", "1.2.5"
FAILING_MIGRATION, HANGING_MIGRATION = "1.2.6", "1.2.7"


def _migration(script: str, timeout_s: int) -> dict[str, Any]:
    """Values of a migration that runs a script, once."""
    command = ["sh", "-c", script]
    return {
        "migration": {
            "enabled": True,
            "command": command,
            "timeoutSeconds": timeout_s,
            "retries": 0,
        }
    }


# Deploys that can't succeed, by version: what is wrong with their values.
BROKEN: Mapping[str, dict[str, Any]] = {
    # An image that the cluster doesn't have, and would have to pull.
    NO_IMAGE: {"services": {"nsfwDetector": {"repository": "127.0.0.1:1/detector"}}},
    CRASHING: {"services": {"server": {"extraEnv": {"PICTURE_MAX_BYTES": "many"}}}},
    FAILING_MIGRATION: _migration("echo 'relation posts does not exist'; exit 3", 60),
    HANGING_MIGRATION: _migration("echo 'waits for a lock'; sleep 600", 15),
}


@pytest.fixture(scope="module")
def artifacts(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts of the live release's own values, with images: one in order, and broken ones."""
    source, out = Source(tmp_path_factory.mktemp("source")), tmp_path_factory.mktemp("out")
    chosen = values.load(DEV, live.values)
    for version, wrong in {GOOD: {}, **BROKEN}.items():
        source.build(out, version, values.merge(chosen, wrong), images=True)
    return out


@pytest.fixture
async def as_before(live: Live, kube: Kube) -> AsyncIterator[None]:
    """Whatever a test does, the release goes back to what it was."""
    release = Release.of(live.environment, live.kubeconfig)
    before = await storage.fetch_revision(kube, release)
    assert before is not None
    yield
    after = await storage.fetch_revision(kube, release)
    assert after is not None
    if after.number != before.number:
        await rollback(RollbackOptions(DEV, before.number, live.cluster), silent)


def _options(live: Live, artifacts: Path, version: str) -> DeployOptions:
    return DeployOptions(DEV, version, artifacts / version, live.cluster)


async def _images(kube: Kube) -> dict[str, str]:
    """The image of each of the application's pods that run, by component."""
    labels = "app.kubernetes.io/name=vrooli,pod-template-hash"
    pods = await kube.list("v1", "Pod", DEV.namespace, labels)
    return {
        pod["metadata"]["labels"]["app.kubernetes.io/component"]: pod["spec"]["containers"][0][
            "image"
        ]
        for pod in pods
        if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
    }


async def test_a_version_is_deployed_then_nothing_changes_then_it_goes_back(
    live: Live, kube: Kube, artifacts: Path, as_before: None
) -> None:
    before = await _images(kube)
    first = await deploy(_options(live, artifacts, GOOD), silent)
    changed = {change.object for change in first.changes}
    assert first.changed
    assert changed >= {f"Deployment/vrooli-dev-{name}" for name in ("server", "jobs", "ui")}
    running = await _images(kube)
    recorded = {image.service: image for image in model.read(artifacts / GOOD / "artifacts").images}
    for name in ("server", "jobs", "ui"):
        assert running[name] == f"localhost/vrooli/{name}:{GOOD}@{recorded[name].digest}"

    assert (await history.diff(_options(live, artifacts, GOOD), silent)).ok
    assert (await history.diff(DeployOptions(DEV, cluster=live.cluster), silent)).ok
    second = await deploy(_options(live, artifacts, GOOD), silent)
    assert not second.changed
    assert second.revision == first.revision
    assert second.changes == ()

    told = await history.history(DEV, live.cluster, silent)
    assert [item.status for item in told.revisions][-2:] == ["superseded", "deployed"]
    back = await rollback(RollbackOptions(DEV, None, live.cluster), silent)
    assert back.revision == first.revision + 1
    assert await _images(kube) == before


@pytest.mark.long
async def test_a_number_of_pods_is_kept_by_deploys_until_it_is_discarded(
    live: Live, kube: Kube, artifacts: Path, as_before: None
) -> None:
    release = Release.of(live.environment, live.kubeconfig)
    options = ValuesOptions(DEV, live.cluster)
    await deploy(_options(live, artifacts, GOOD), silent)
    try:
        scaled = await scale(options, "server", 2, silent)
        assert (scaled.before, scaled.after, await _replicas(kube)) == (1, 2, 2)
        kept = await deploy(_options(live, artifacts, GOOD), silent)
        assert [item.path for item in kept.overrides] == ["replicaCount.server"]
        assert await _replicas(kube) == 2
        reset = await scale(options, "server", None, silent)
        assert (reset.after, await _replicas(kube)) == (1, 1)
        await scale(options, "server", 2, silent)
        await deploy(replace(_options(live, artifacts, GOOD), discard_overrides=True), silent)
    finally:
        stored = await overrides.fetch(kube, release)
        if stored.entries:
            await scale(options, "server", None, silent)
    assert (stored.entries, await _replicas(kube)) == ((), 1)


async def _replicas(kube: Kube) -> int:
    """The number of pods that the Deployment of the server has."""
    name = f"{DEV.release}-server"
    body = await kube.get("apps/v1", "Deployment", name, DEV.namespace)
    assert body is not None
    return int(body["status"].get("readyReplicas", 0))


async def test_an_image_that_an_embedded_cluster_cannot_pull_is_refused_at_once(
    live: Live, kube: Kube, artifacts: Path
) -> None:
    release = Release.of(live.environment, live.kubeconfig)
    last = await storage.fetch_revision(kube, release)
    with pytest.raises(NotDeployableError, match=r"127\.0\.0\.1:1/detector.*does not pull images"):
        await deploy(_options(live, artifacts, NO_IMAGE), silent)
    assert await storage.fetch_revision(kube, release) == last


@pytest.mark.parametrize(("version", "reason"), [(CRASHING, "CrashLoopBackOff")])
async def test_a_deploy_that_cannot_succeed_is_told_with_evidence_and_taken_back(
    live: Live, kube: Kube, artifacts: Path, as_before: None, version: str, reason: str
) -> None:
    before, ended = await _images(kube), list[StepEnded]()

    def listen(event: Event) -> None:
        if isinstance(event, StepEnded):
            ended.append(event)

    with pytest.raises(DeployFailedError, match=reason) as failed:
        await deploy(_options(live, artifacts, version), listen)
    assert "is healthy again with the objects of revision" in failed.value.message
    assert [step.step for step in ended][-2:] == ["evidence", "rollback"]
    assert await _images(kube) == before

    report = Path(next(step.detail for step in ended if step.step == "evidence"))
    assert report.stat().st_mode & 0o777 == 0o600
    with tarfile.open(report) as archive:
        files = {item.name: archive.extractfile(item) for item in archive.getmembers()}
        texts = {name: file.read().decode() for name, file in files.items() if file}
    found = json.loads(texts["vrooli-diagnosis-vrooli-dev/findings.json"])
    assert re.search(reason, found["failure"])
    assert f"Root cause: {found['causes'][0]['finding']['resource']}" in failed.value.message
    assert any("/Pod/vrooli-dev-server" in name for name in texts)
    await _holds_no_secret(kube, "\n".join(texts.values()))
    report.unlink()


@pytest.mark.parametrize(
    ("version", "line"),
    [
        (FAILING_MIGRATION, "relation posts does not exist"),
        (HANGING_MIGRATION, "waits for a lock"),
    ],
)
async def test_a_failed_migration_leaves_the_old_pods_and_shows_its_log(
    live: Live, kube: Kube, artifacts: Path, as_before: None, version: str, line: str
) -> None:
    before = await _uids(kube)
    with pytest.raises(DeployFailedError, match=line) as failed:
        await deploy(_options(live, artifacts, version), silent)
    assert "Job/vrooli-dev-migration" in failed.value.message
    assert await _uids(kube) == before


async def _uids(kube: Kube) -> set[str]:
    """The pods of the application's Deployments."""
    pods = await kube.list("v1", "Pod", DEV.namespace, "app.kubernetes.io/name=vrooli")
    return {
        pod["metadata"]["uid"] for pod in pods if "pod-template-hash" in pod["metadata"]["labels"]
    }


async def _holds_no_secret(kube: Kube, text: str) -> None:
    secrets = await kube.list("v1", "Secret", DEV.namespace)
    encoded = {
        value
        for secret in secrets
        if not secret["type"].startswith("helm.sh/")
        for key, value in (secret.get("data") or {}).items()
        if "password" in key.lower() or "uri" in key or "verifier" in key
    }
    assert encoded
    plain = {base64.b64decode(value).decode() for value in encoded}
    assert not [value for value in encoded | plain if value in text]


async def test_an_artifact_that_was_changed_touches_nothing(
    live: Live, kube: Kube, artifacts: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(artifacts / NO_IMAGE, tmp_path / "copy")
    file = copy / "artifacts" / "helm-value-files" / "values-dev.yaml"
    file.write_text(file.read_text() + "\n")
    last = await storage.fetch_revision(kube, Release.of(live.environment, live.kubeconfig))
    with pytest.raises(UsageError, match=r"values-dev\.yaml \(changed\)"):
        await deploy(DeployOptions(DEV, NO_IMAGE, copy, live.cluster), silent)
    assert await storage.fetch_revision(kube, Release.of(live.environment, live.kubeconfig)) == last


async def test_of_two_deploys_at_once_one_is_refused_and_one_is_watched_to_its_end(
    live: Live, kube: Kube, artifacts: Path, as_before: None
) -> None:
    options, release = _options(live, artifacts, GOOD), Release.of(DEV, live.kubeconfig)
    seen, begun = list[ObjectProgressed](), asyncio.Event()

    def listen(event: Event) -> None:
        if isinstance(event, ObjectProgressed):
            seen.append(event)

    def follow(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step == "release":  # it has the Lease
            begun.set()

    async def attend() -> WatchResult:
        await asyncio.wait_for(begun.wait(), BEGUN_S)
        return await watch(DEV, live.cluster, listen)

    *both, watched = await asyncio.gather(
        deploy(options, follow), deploy(options, follow), attend(), return_exceptions=True
    )
    (done,) = (item for item in both if isinstance(item, DeployResult))
    assert done.changed
    (refused,) = (item for item in both if isinstance(item, PrerequisiteError))
    assert "Another deploy of vrooli-dev is running" in refused.message
    assert isinstance(watched, WatchResult), watched
    assert watched.ok, watched.problems
    last = await storage.fetch_revision(kube, release)
    assert last is not None
    assert watched.release.revision == last.number
    states = [item.state for item in seen if item.object == "Deployment/vrooli-dev-server"]
    assert ObjectState.WAITING in states
    assert states[-1] is ObjectState.READY
