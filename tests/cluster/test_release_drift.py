"""How a release that people changed by hand differs from what Helm noted."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from vrooli.chart import values
from vrooli.environments import ENVIRONMENTS
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.redaction import Redactor
from vrooli.release import Release, apply
from vrooli.release.apply import ApplyOptions
from vrooli.release.drift import comparison
from vrooli.release.drift.diff import Act
from vrooli.release.records import storage

NUMBERS = count()
EDIT = "kubectl-edit"
SERVER, POSTGRES = (
    ("apps/v1", "Deployment", "demo-server"),
    (
        "postgres-operator.crunchydata.com/v1beta1",
        "PostgresCluster",
        "vrooli-pg",
    ),
)


async def _edit(
    kube: Kube, release: Release, what: tuple[str, str, str], change: Any, manager: str = EDIT
) -> None:
    """Change an object as a program does that signs so."""
    merges = what[0] != "apps/v1"
    kind = "merge-patch" if merges else "strategic-merge-patch"
    await kube._object_call(
        "PATCH",
        "edit",
        *what,
        release.namespace,
        params={"fieldManager": manager},
        content=json.dumps(change),
        headers={"content-type": f"application/{kind}+json"},
    )


def _containers(**fields: Any) -> Any:
    """A change of the server's container."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "server", **fields}]}}}}


ENV = _containers(env=[{"name": "BY_HAND", "value": "1"}])
LABEL = {"metadata": {"labels": {"team": "a"}}}
RESTORE = {"spec": {"backups": {"pgbackrest": {"restore": {"enabled": True, "repoName": "repo1"}}}}}
# What is no drift: a restart, a request to an operator, a controller's note.
RESTART = {
    "spec": {
        "template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}
    }
}
REQUEST = {
    "metadata": {"annotations": {"postgres-operator.crunchydata.com/pgbackrest-restore": "1"}}
}


async def _install(kube: Kube, release: Release, *, preserve_added: bool = False) -> int:
    options = ApplyOptions(preserve_added=preserve_added)
    done = await apply.ensure(kube, release, values.load(ENVIRONMENTS["dev"]), Progress(), options)
    return done.revision


@pytest.fixture
def release(bare_kubeconfig: Path) -> Release:
    """A release in a namespace of its own."""
    return Release("demo", f"drift-{next(NUMBERS)}", bare_kubeconfig)


async def test_what_was_changed_or_deleted_by_hand_is_told_and_nothing_else(
    bare_kube: Kube, release: Release
) -> None:
    await apply.ensure(bare_kube, release, values.load(ENVIRONMENTS["dev"]), Progress())
    noted = await storage.fetch_manifests(bare_kube, release)
    assert await comparison.find_drift(bare_kube, noted, Redactor()) == ()

    scaled = {"spec": {"replicas": 7}}
    await bare_kube.patch("apps/v1", "Deployment", "demo-server", release.namespace, scaled)
    await bare_kube.delete("v1", "Service", "demo-ui", release.namespace)
    label = {"metadata": {"labels": {"owner": "somebody"}}}
    await bare_kube.patch("v1", "Service", "demo-jobs", release.namespace, label)

    found = {
        change.key: change for change in await comparison.find_drift(bare_kube, noted, Redactor())
    }
    assert set(found) == {"Deployment/demo-server", "Service/demo-ui"}
    assert found["Service/demo-ui"].act is Act.REMOVE
    (field,) = found["Deployment/demo-server"].fields
    assert (field.path, field.before, field.after) == ("spec.replicas", "1", "7")


async def test_what_people_added_is_told_with_their_tool_and_taken_back(
    bare_kube: Kube, release: Release
) -> None:
    assert await _install(bare_kube, release) == 1
    await _edit(bare_kube, release, SERVER, ENV)
    await _edit(bare_kube, release, POSTGRES, RESTORE, "kubectl-patch")
    await _edit(
        bare_kube, release, SERVER, {"metadata": {"labels": {"team": "a"}}}, "kubectl-label"
    )
    noted = await storage.fetch_manifests(bare_kube, release)

    found = {
        change.key: change for change in await comparison.find_drift(bare_kube, noted, Redactor())
    }
    assert set(found) == {"Deployment/demo-server", "PostgresCluster/vrooli-pg"}
    told = {field.path: field for change in found.values() for field in change.fields}
    env = "spec.template.spec.containers[server].env[BY_HAND]"
    assert set(told) == {env, "metadata.labels.team", "spec.backups.pgbackrest.restore"}
    assert (told[env].before, told[env].manager) == (None, EDIT)
    assert told[env].since is not None
    assert told["spec.backups.pgbackrest.restore"].manager == "kubectl-patch"

    note = await storage.fetch_record(bare_kube, release)
    ahead, _ = await comparison.preview(bare_kube, noted, note, Redactor())
    assert {field.path: field.after for change in ahead for field in change.fields} == (
        dict.fromkeys(told)
    )
    assert await _install(bare_kube, release) == 2
    assert await comparison.find_drift(bare_kube, noted, Redactor()) == ()
    server = await bare_kube.get(*SERVER, release.namespace)
    assert server is not None
    container = server["spec"]["template"]["spec"]["containers"][0]
    assert "BY_HAND" not in {item["name"] for item in container["env"]}
    assert "team" not in server["metadata"]["labels"]
    postgres = await bare_kube.get(*POSTGRES, release.namespace)
    assert postgres is not None
    assert "restore" not in postgres["spec"]["backups"]["pgbackrest"]
    assert await _install(bare_kube, release) == 2


async def test_what_people_added_stays_where_that_was_asked_for(
    bare_kube: Kube, release: Release
) -> None:
    await _install(bare_kube, release)
    await _edit(bare_kube, release, SERVER, ENV)
    noted, note = (
        await storage.fetch_manifests(bare_kube, release),
        await storage.fetch_record(bare_kube, release),
    )
    ahead, _ = await comparison.preview(bare_kube, noted, note, Redactor(), preserve_added=True)
    assert ahead == ()
    assert await _install(bare_kube, release, preserve_added=True) == 1
    (change,) = await comparison.find_drift(bare_kube, noted, Redactor())
    assert change.key == "Deployment/demo-server"


async def test_a_changed_value_is_told_with_who_wrote_it(bare_kube: Kube, release: Release) -> None:
    await _install(bare_kube, release)
    await _edit(bare_kube, release, SERVER, _containers(imagePullPolicy="Always"))
    noted = await storage.fetch_manifests(bare_kube, release)
    (change,) = await comparison.find_drift(bare_kube, noted, Redactor())
    (field,) = change.fields
    assert field.path == "spec.template.spec.containers[server].imagePullPolicy"
    assert (field.after, field.manager) == ("Always", EDIT)


@pytest.mark.parametrize(
    ("what", "change", "manager"),
    [
        (SERVER, RESTART, "kubectl-rollout"),
        (POSTGRES, REQUEST, "kubectl-annotate"),
        (SERVER, ENV, "kube-controller-manager"),
        (POSTGRES, RESTORE, "postgrescluster-controller"),
        (SERVER, LABEL, "injector"),
    ],
)
async def test_requests_and_what_controllers_write_is_no_drift(
    bare_kube: Kube, release: Release, what: tuple[str, str, str], change: Any, manager: str
) -> None:
    await _install(bare_kube, release)
    await _edit(bare_kube, release, what, change, manager)
    noted = await storage.fetch_manifests(bare_kube, release)
    assert await comparison.find_drift(bare_kube, noted, Redactor()) == ()
    assert await _install(bare_kube, release) == 1


async def test_what_people_removed_comes_back(bare_kube: Kube, release: Release) -> None:
    assert await _install(bare_kube, release) == 1
    server = await bare_kube.get(*SERVER, release.namespace)
    assert server is not None
    names = [item["name"] for item in _env(server)]
    gone = {"$patch": "delete", "name": names[0]}
    await _edit(bare_kube, release, SERVER, _containers(env=[gone]))
    noted, note = (
        await storage.fetch_manifests(bare_kube, release),
        await storage.fetch_record(bare_kube, release),
    )
    ahead, _ = await comparison.preview(bare_kube, noted, note, Redactor())
    assert [change.key for change in ahead] == ["Deployment/demo-server"]
    assert await _install(bare_kube, release) == 2
    again = await bare_kube.get(*SERVER, release.namespace)
    assert again is not None
    assert {item["name"] for item in _env(again)} == set(names)
    assert await _install(bare_kube, release) == 2


def _env(server: Any) -> Any:
    return server["spec"]["template"]["spec"]["containers"][0]["env"]
