"""What is wrong with the files that a run is given stops it before anything is touched."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.fakes.cluster import FakeCluster
from vrooli import images, project
from vrooli.artifact.model import ArtifactSource
from vrooli.chart.manifest import Manifest
from vrooli.checks.preflight import NotDeployableError
from vrooli.environments import ENVIRONMENTS, SecretsSource
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Event, Progress
from vrooli.images import BuiltImage, catalog
from vrooli.release import Release
from vrooli.release.apply import Applied, ApplyOptions
from vrooli.release.rollout.context import EPOCH
from vrooli.secrets import catalog as secrets_catalog
from vrooli.secrets import env_file, key_pairs
from vrooli.workflows.clusters.selection import Choice
from vrooli.workflows.development import develop as module
from vrooli.workflows.development import run as develop_run
from vrooli.workflows.development.run import DevelopRun
from vrooli.workflows.options import DevelopOptions

DEV = ENVIRONMENTS["dev"]


@pytest.mark.parametrize("workflow", [module.develop, module.prepare])
def test_a_secrets_file_with_a_missing_key_is_reported_before_any_step(
    workflow: object, tmp_path: Path
) -> None:
    file, events = tmp_path / ".env", list[Event]()
    env_file.write_first(file)
    file.write_text(file.read_text().replace("DB_PASSWORD=", "# DB_PASSWORD="))
    options = DevelopOptions(DEV, SecretsSource.FILE, secrets_file=file)
    with pytest.raises(UsageError, match="no value for: DB_PASSWORD"):
        asyncio.run(workflow(options, events.append))  # type: ignore[operator]
    assert events == []


def test_a_values_file_with_an_unknown_key_is_reported_before_any_step(tmp_path: Path) -> None:
    file, events = tmp_path / "values.yaml", list[Event]()
    file.write_text("services: {ui: {prot: 1}}\n")
    with pytest.raises(UsageError, match="prot"):
        asyncio.run(module.develop(DevelopOptions(DEV, values=(file,)), events.append))
    assert events == []


@pytest.mark.parametrize("workflow", [module.develop, module.prepare])
def test_a_cluster_that_can_not_take_our_images_is_refused_before_they_are_built(
    workflow: object,
) -> None:
    events = list[Event]()
    options = DevelopOptions(DEV, cluster="context:elsewhere")
    with pytest.raises(PrerequisiteError, match="context:elsewhere pulls its images"):
        asyncio.run(workflow(options, events.append))  # type: ignore[operator]
    assert events == []


def test_what_the_operators_can_not_do_is_refused_before_any_change_is_applied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    requests: list[tuple[str, set[str]]] = []

    async def refuse(kube: object, namespace: str, manifests: Sequence[Manifest]) -> None:
        requests.append((namespace, {item.kind for item in manifests}))
        raise NotDeployableError("its data has the format of PostgreSQL 15")

    monkeypatch.setattr(develop_run.preflight, "demand_data_fit", refuse)
    monkeypatch.delattr(develop_run.apply, "ensure")
    monkeypatch.setattr(DevelopRun, "_local_values", lambda _: {})
    monkeypatch.setattr(DevelopRun, "release", Release("vrooli-dev", "dev", Path("kubeconfig")))
    run = DevelopRun(DevelopOptions(DEV), Choice("embedded", "x"), contextlib.AsyncExitStack())
    run.kube = FakeCluster()
    with pytest.raises(NotDeployableError, match="its data has the format of PostgreSQL 15"):
        asyncio.run(run.ensure_release(Progress()))
    ((namespace, kinds),) = requests
    assert namespace == "dev"
    assert kinds >= {"PostgresCluster", "RedisFailover"}


def test_images_of_changes_that_were_taken_back_are_recorded_as_modified(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The end of `develop --watch` runs the images of its start again."""
    states, origins = iter([True, False]), list[str]()

    async def source() -> ArtifactSource:
        return ArtifactSource(revision="c0ffee", modified=next(states), time=EPOCH)

    async def ensure(*words: object) -> Applied:
        options = words[-1]
        assert isinstance(options, ApplyOptions)
        origins.append(options.origin.source)
        return Applied(changed=True)

    async def nothing(*words: object) -> None:
        pass

    monkeypatch.setattr(develop_run, "source", source)
    monkeypatch.setattr(develop_run.apply, "ensure", ensure)
    monkeypatch.setattr(develop_run.preflight, "demand_data_fit", nothing)
    monkeypatch.setattr(develop_run.tls, "ensure_trust", nothing)
    monkeypatch.setattr(DevelopRun, "_local_values", lambda _: {})
    monkeypatch.setattr(DevelopRun, "release", Release("vrooli-dev", "dev", Path("kubeconfig")))
    run = DevelopRun(DevelopOptions(DEV), Choice("embedded", "x"), contextlib.AsyncExitStack())
    run.kube = FakeCluster()
    for _ in range(2):
        asyncio.run(run.ensure_release(Progress()))
    assert origins == ["c0ffee-modified", "c0ffee-modified"]


def test_the_release_names_its_images_by_content() -> None:
    """Else a revision to go back to would run what was built last."""
    options = DevelopOptions(DEV)
    run = DevelopRun(options, Choice("embedded", "test"), contextlib.AsyncExitStack())

    def tags(hash_: str) -> dict[str, object]:
        run.machine.images = {
            name: BuiltImage(
                name, f"localhost/vrooli/{name}:dev", hash_, "id", True, pinned=_pinned(name, hash_)
            )
            for name in (*develop_run.SERVICES, "rotator", "redis")
        }
        values = run._local_values()
        return {"ui": values["services"]["ui"], "rotation": values["rotation"]}

    assert tags("a" * 64) == {
        "ui": {"repository": "localhost/vrooli/ui", "tag": "dev-aaaaaaaaaaaa"},
        "rotation": {"repository": "localhost/vrooli/rotator", "tag": "dev-aaaaaaaaaaaa"},
    }
    assert tags("b" * 64) != tags("a" * 64)


def test_an_edited_service_is_built_beside_the_cluster_and_its_secrets() -> None:
    run = DevelopRun(DevelopOptions(DEV), Choice("embedded", "x"), contextlib.AsyncExitStack())
    steps = {step.name: step for step in run.steps()}

    def needs(name: str) -> set[str]:
        return set(steps[name].after).union(*map(needs, steps[name].after))

    assert "service-images" not in needs("cluster") | needs("secrets")
    assert "service-images" in needs("load") & needs("release")
    before = {*images.WITHOUT_PROGRAMS, *images.WITH_PROGRAMS}
    assert {*images.PRELOADED, *images.ADDONS, *images.OPERATORS} <= before


def test_every_image_of_the_release_has_a_name_by_content() -> None:
    assert {*develop_run.SERVICES, "rotator"} == set(images.SERVICES)


def _pinned(name: str, inputs_hash: str) -> str:
    return catalog.find_image(name).pinned(inputs_hash)


async def test_secrets_of_a_file_have_the_names_of_the_values(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(
        "pgoPostgresql: {clusterName: posts}\n"
        "vso: {secrets: {postgres: {k8sSecretName: posts-login}}}\n"
    )
    options = DevelopOptions(
        DEV, SecretsSource.FILE, values=(file,), secrets_file=tmp_path / ".env"
    )
    async with contextlib.AsyncExitStack() as exits:
        run = DevelopRun(options, Choice("embedded", "x"), exits)
        run.kube = cluster = FakeCluster()
        await run.ensure_secrets(Progress("secrets", list[Event]().append))
    assert cluster.find("Secret", "posts-login") is not None
    assert cluster.find("Secret", "posts-pguser-vrooli") is not None
    assert cluster.find("Secret", "vrooli-postgres-creds") is None


async def test_key_pairs_that_the_values_read_are_generated_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    values = (project.chart_dir() / "values-vrooli.yaml",)
    options = DevelopOptions(DEV, SecretsSource.FILE, values=values, secrets_file=file)
    async with contextlib.AsyncExitStack() as exits:
        run = DevelopRun(options, Choice("embedded", "x"), exits)
        run.kube = cluster = FakeCluster()
        done = await run.ensure_secrets(Progress("secrets", list[Event]().append))
    assert "generated JWT_PRIV, JWT_PUB, VAPID_PRIVATE_KEY, VAPID_PUBLIC_KEY" in done.detail
    secret = cluster.find("Secret", secrets_catalog.SERVER_JOBS.kubernetes)
    assert secret is not None
    assert secret["data"].keys() >= key_pairs.NAMES
