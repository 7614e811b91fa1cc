"""Putting a release there, again and again, and taking it away: on an API server without nodes."""

from __future__ import annotations

import asyncio
import base64
import signal
import sys
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from support.failures.interrupted_upgrade import cut
from vrooli import project
from vrooli.chart import engine, values
from vrooli.chart.values import Values
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError, VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.redaction import Redactor
from vrooli.release import Release, apply, pending, rollback, uninstall
from vrooli.release.apply import ApplyOptions
from vrooli.release.drift import comparison
from vrooli.release.drift.diff import Act
from vrooli.release.model import secret_name
from vrooli.release.records import discovery, marks, metadata, retention, size, storage

PROGRESS = Progress()
NUMBERS = count()
CLUSTER = ("postgres-operator.crunchydata.com/v1beta1", "PostgresCluster", "vrooli-pg")
# Installs in a process of its own, so that it can be killed.
INSTALL = """
import asyncio, sys
from pathlib import Path
from vrooli.chart import values
from vrooli.environments import ENVIRONMENTS
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.release import (Release, apply)

async def main() -> None:
    release = Release("demo", sys.argv[2], Path(sys.argv[1]))
    async with await Kube.connect(release.kubeconfig) as kube:
        await apply.ensure(kube, release, values.load(ENVIRONMENTS["dev"]), Progress())

asyncio.run(main())
"""


@pytest.fixture
def release(bare_kubeconfig: Path) -> Release:
    """A release in a namespace of its own."""
    return Release("demo", f"release-{next(NUMBERS)}", bare_kubeconfig)


@pytest.fixture
def dev() -> Values:
    """The values of development."""
    return values.load(ENVIRONMENTS["dev"])


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Takes what another Helm left for left behind after a second."""
    monkeypatch.setattr(pending, "STALE_S", 1.0)
    yield


async def test_the_size_that_is_told_before_is_that_of_the_note(
    bare_kube: Kube, release: Release, dev: Values
) -> None:
    rendering = engine.render_texts(dev, release=release.name, namespace=release.namespace)
    measured = size.measure(project.chart_dir(), dev, rendering)
    await apply.ensure(bare_kube, release, dev, PROGRESS)
    name = secret_name(release.name, 1)
    note = await bare_kube.get("v1", "Secret", name, release.namespace)
    assert note is not None
    packed = len(base64.b64decode(note["data"]["release"]))
    assert abs(measured.packed - packed) < size.LIMIT / 50


async def _target_number(kube: Kube, release: Release) -> int:
    """The revision that a rollback goes back to."""
    records = await storage.fetch_records(kube, release)
    return rollback.find_target(records, release).revision.number


async def test_failed_revisions_push_none_out_that_worked(
    bare_kube: Kube, release: Release, dev: Values, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention.find_surplus, "__defaults__", (1,))
    await apply.ensure(bare_kube, release, dev, PROGRESS)
    await marks.mark_ready(bare_kube, release, 1)
    for number in (2, 3, 4):
        changed = values.merge(dev, {"config": {"extra": {"NUMBER": str(number)}}})
        await apply.ensure(bare_kube, release, changed, PROGRESS)
        last = await storage.fetch_revision(bare_kube, release)
        assert last is not None
        await marks.mark_failed(bare_kube, release, last, "it never became ready")
    assert await retention.prune(bare_kube, release) == [2]
    assert [item.number for item in await storage.fetch_revisions(bare_kube, release)] == [1, 3, 4]
    assert await _target_number(bare_kube, release) == 1


async def test_the_second_time_nothing_changes(
    bare_kube: Kube, release: Release, dev: Values
) -> None:
    first = await apply.ensure(bare_kube, release, dev, PROGRESS)
    second = await apply.ensure(bare_kube, release, dev, PROGRESS)
    assert first.changed
    assert not second.changed
    assert [item.number for item in await storage.fetch_revisions(bare_kube, release)] == [1]


async def test_a_note_is_the_newest_until_helm_makes_another(
    bare_kube: Kube, release: Release, dev: Values
) -> None:
    await apply.ensure(bare_kube, release, dev, PROGRESS)
    note = await storage.fetch_record(bare_kube, release)
    assert note is not None
    assert await storage.is_newest(bare_kube, release, note)
    pending = replace(note, revision=replace(note.revision, status="pending-upgrade"))
    assert not await storage.is_newest(bare_kube, release, pending)
    await apply.ensure(bare_kube, release, values.merge(dev, {"replicaCount": {"ui": 2}}), PROGRESS)
    assert not await storage.is_newest(bare_kube, release, note)
    await uninstall.remove(bare_kube, release, PROGRESS)
    assert not await storage.is_newest(bare_kube, release, note)


async def test_a_changed_value_makes_a_new_revision_and_says_what_changes(
    bare_kube: Kube, release: Release, dev: Values
) -> None:
    await apply.ensure(bare_kube, release, dev, PROGRESS)
    said: list[str] = []
    progress = Progress("release", lambda event: said.append(getattr(event, "detail", "")))
    change = values.merge(dev, {"services": {"ui": {"podAnnotations": {"inputs": "new"}}}})
    done = await apply.ensure(bare_kube, release, change, progress)
    assert done.changed
    assert said == ["changes Deployment/demo-ui"]
    last = await storage.fetch_revision(bare_kube, release)
    assert last is not None
    assert (last.number, last.status) == (2, "deployed")


async def test_what_someone_deleted_comes_back(
    bare_kube: Kube, release: Release, dev: Values
) -> None:
    await apply.ensure(bare_kube, release, dev, PROGRESS)
    await bare_kube.delete("v1", "Service", "demo-server", release.namespace)
    assert (await apply.ensure(bare_kube, release, dev, PROGRESS)).changed
    assert await bare_kube.get("v1", "Service", "demo-server", release.namespace)


async def test_refused_values_touch_nothing(bare_kube: Kube, release: Release, dev: Values) -> None:
    with pytest.raises(UsageError, match="servises"):
        await apply.ensure(bare_kube, release, {**dev, "servises": {}}, PROGRESS)
    assert await bare_kube.get("v1", "Namespace", release.namespace) is None


async def test_a_field_that_the_server_does_not_know_is_refused(
    bare_kube: Kube, release: Release, tmp_path: Path
) -> None:
    """Helm's own validation is off: the server refuses it, at an installation and later."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("{apiVersion: v2, name: x, version: 1.0.0}\n")
    template = tmp_path / "templates" / "a.yaml"
    options = ApplyOptions(chart=tmp_path)
    spec = "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 1}]%s}}\n"
    template.write_text(spec % ", bogus: 1")
    with pytest.raises(VrooliError, match="bogus"):
        await apply.ensure(bare_kube, release, {}, PROGRESS, options)
    template.write_text(spec % "")
    await apply.ensure(bare_kube, release, {}, PROGRESS, options)
    template.write_text(spec % ", bogus: 1")
    with pytest.raises(VrooliError, match="bogus"):
        await apply.ensure(bare_kube, release, {}, PROGRESS, options)


@pytest.mark.usefixtures("hurry")
async def test_a_helm_that_was_killed_is_taken_over_and_nothing_is_made_anew(
    bare_kube: Kube, release: Release, dev: Values
) -> None:
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", INSTALL, str(release.kubeconfig), release.namespace
    )
    async with aclosing(bare_kube.watch("v1", "Service", release.namespace)) as made:
        await anext(made)
    killed.send_signal(signal.SIGKILL)
    await killed.wait()
    left = await storage.fetch_revision(bare_kube, release)
    assert left is not None
    assert left.status == "pending-install"
    before = {
        item["metadata"]["name"]: item["metadata"]["uid"]
        for item in await bare_kube.list("v1", "Service", release.namespace)
    }

    await apply.ensure(bare_kube, release, dev, PROGRESS)

    assert [item.status for item in await storage.fetch_revisions(bare_kube, release)] == [
        "deployed"
    ]
    after = {
        item["metadata"]["name"]: item["metadata"]["uid"]
        for item in await bare_kube.list("v1", "Service", release.namespace)
    }
    assert before.items() <= after.items()


@pytest.fixture
def smaller(dev: Values) -> Values:
    """The same without Adminer, and so without its host of the Ingress."""
    without = {"services": {"adminer": {"enabled": False}}, "ingress": {"enabled": False}}
    return values.merge(dev, without)


async def _has_adminer(kube: Kube, release: Release) -> bool:
    return await kube.get("apps/v1", "Deployment", "demo-adminer", release.namespace) is not None


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("more", [{}, {"replicaCount": {"ui": 2}}], ids=["back", "a third"])
async def test_what_a_killed_upgrade_made_is_gone_after_a_deploy_of_another_version(
    bare_kube: Kube, release: Release, dev: Values, smaller: Values, more: Values
) -> None:
    await apply.ensure(bare_kube, release, smaller, PROGRESS)
    await apply.ensure(bare_kube, release, dev, PROGRESS)
    await cut(bare_kube, release, 2)
    assert await _has_adminer(bare_kube, release)

    done = await apply.ensure(bare_kube, release, values.merge(smaller, more), PROGRESS)

    assert done.changed
    assert not await _has_adminer(bare_kube, release)
    found = await storage.fetch_revisions(bare_kube, release)
    assert [(item.number, item.status) for item in found] == [(1, "superseded"), (2, "deployed")]
    assert not (
        await apply.ensure(bare_kube, release, values.merge(smaller, more), PROGRESS)
    ).changed


@pytest.mark.usefixtures("hurry")
async def test_a_helm_of_somebody_else_may_wait_for_its_pods(
    bare_kube: Kube, release: Release, dev: Values
) -> None:
    await apply.ensure(bare_kube, release, dev, PROGRESS)
    await apply.ensure(bare_kube, release, values.merge(dev, {"replicaCount": {"ui": 2}}), PROGRESS)
    await cut(bare_kube, release, 2)
    # Helm hands the label on: it is then of another time.
    earlier = {"metadata": {"labels": {pending.BEGAN: "1700000000"}}}
    note = "sh.helm.release.v1.demo.v2"
    await bare_kube.patch("v1", "Secret", note, release.namespace, earlier)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(4):
            await apply.ensure(bare_kube, release, dev, PROGRESS)
    assert await bare_kube.get("v1", "Secret", note, release.namespace) is not None


async def test_what_somebody_changed_by_hand_is_told_and_taken_back(
    bare_kube: Kube, release: Release, dev: Values
) -> None:
    await apply.ensure(bare_kube, release, dev, PROGRESS)
    scaled = {"spec": {"replicas": 7}}
    await bare_kube.patch("apps/v1", "Deployment", "demo-server", release.namespace, scaled)
    await bare_kube.delete("v1", "Service", "demo-ui", release.namespace)
    note = await storage.fetch_record(bare_kube, release)
    assert note is not None

    found, _ = await comparison.preview(bare_kube, note.manifests, note, Redactor())

    told = {change.key: change for change in found}
    assert set(told) == {"Deployment/demo-server", "Service/demo-ui"}
    assert told["Service/demo-ui"].act is Act.ADD
    (field,) = told["Deployment/demo-server"].fields
    assert (field.path, field.before, field.after) == ("spec.replicas", "7", "1")
    assert (await apply.ensure(bare_kube, release, dev, PROGRESS)).changed
    body = await bare_kube.get("apps/v1", "Deployment", "demo-server", release.namespace)
    assert body is not None
    assert body["spec"]["replicas"] == 1
    assert not (await apply.ensure(bare_kube, release, dev, PROGRESS)).changed


async def test_after_a_cut_upgrade_the_objects_themselves_tell_what_changes(
    bare_kube: Kube, release: Release, dev: Values, smaller: Values
) -> None:
    await apply.ensure(bare_kube, release, smaller, PROGRESS)
    before = await storage.fetch_manifests(bare_kube, release)
    await apply.ensure(bare_kube, release, values.merge(dev, {"replicaCount": {"ui": 2}}), PROGRESS)
    await cut(bare_kube, release, 2)
    found, _ = await comparison.preview(
        bare_kube, before, await storage.fetch_record(bare_kube, release), Redactor()
    )
    told = {change.key: change.act for change in found}
    assert told["Deployment/demo-adminer"] is Act.REMOVE
    assert told["Deployment/demo-ui"] is Act.CHANGE
    assert "Deployment/demo-server" not in told


@pytest.mark.usefixtures("hurry")
async def test_what_helm_deletes_after_a_cut_upgrade_is_told_before(
    bare_kube: Kube, release: Release, dev: Values, smaller: Values
) -> None:
    await apply.ensure(bare_kube, release, dev, PROGRESS)
    key = "Deployment/demo-adminer"
    (adminer,) = [
        item for item in await storage.fetch_manifests(bare_kube, release) if item.key == key
    ]
    place = ("apps/v1", "Deployment", adminer.name, release.namespace)
    there = await bare_kube.get(*place)
    assert there is not None
    await apply.ensure(bare_kube, release, smaller, PROGRESS)
    await cut(bare_kube, release, 2)
    # As if that Helm had been killed before it deleted anything.
    fields = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
    metadata = {name: value for name, value in there["metadata"].items() if name not in fields}
    await bare_kube.create({**there, "metadata": metadata}, release.namespace)

    note = await storage.fetch_record(bare_kube, release)
    assert note is not None
    deployed = await storage.fetch_deployed_manifests(bare_kube, release, note)
    found, _ = await comparison.preview(
        bare_kube, note.manifests, note, Redactor(), deployed=deployed
    )
    assert [change.act for change in found if change.key == key] == [Act.REMOVE]
    await apply.ensure(bare_kube, release, smaller, PROGRESS)
    assert await bare_kube.get(*place) is None


async def test_nobody_goes_back_to_a_revision_that_never_became_ready(
    bare_kube: Kube, release: Release, dev: Values
) -> None:
    def replicas(number: int) -> Values:
        return values.merge(dev, {"replicaCount": {"ui": number}})

    for number in (1, 2):
        await apply.ensure(bare_kube, release, replicas(number), PROGRESS)
    await marks.mark_ready(bare_kube, release, 1)
    second = await storage.fetch_revision(bare_kube, release)
    assert second is not None
    await marks.mark_failed(bare_kube, release, second, "a pod crashed")
    good = rollback.find_target(await storage.fetch_records(bare_kube, release), release)
    assert good.revision.number == 1
    await rollback.roll_back(bare_kube, release, good, PROGRESS)
    assert await _target_number(bare_kube, release) == 1
    await marks.mark_ready(bare_kube, release, 3)
    await apply.ensure(bare_kube, release, replicas(3), PROGRESS)
    assert await _target_number(bare_kube, release) == 3
    # The end of revision 4 was never noted, as after a process that was killed.
    await apply.ensure(bare_kube, release, replicas(4), PROGRESS)
    assert await _target_number(bare_kube, release) == 3
    failed = await storage.fetch_record(bare_kube, release, 2)
    assert failed is not None
    assert failed.metadata.end is metadata.End.FAILED


async def test_uninstalling_keeps_the_database_and_installing_takes_it_over(
    bare_kube: Kube, release: Release, dev: Values
) -> None:
    await apply.ensure(bare_kube, release, dev, PROGRESS)
    before = await bare_kube.get(*CLUSTER, release.namespace)
    done = await uninstall.remove(bare_kube, release, PROGRESS)
    assert done.changed
    assert "PostgresCluster/vrooli-pg" in done.detail
    assert await storage.fetch_revision(bare_kube, release) is None
    assert await storage.fetch_record(bare_kube, release) is None
    assert await bare_kube.list("apps/v1", "Deployment", release.namespace) == []

    await apply.ensure(bare_kube, release, dev, PROGRESS)

    after = await bare_kube.get(*CLUSTER, release.namespace)
    assert before is not None
    assert after is not None
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


async def test_uninstalling_what_is_not_there_changes_nothing(
    bare_kube: Kube, release: Release
) -> None:
    done = await uninstall.remove(bare_kube, release, PROGRESS)
    assert not done.changed
    assert "there is no release" in done.detail


async def test_volumes_that_stay_are_named_also_when_the_release_is_gone(
    bare_kube: Kube, release: Release, dev: Values
) -> None:
    await apply.ensure(bare_kube, release, dev, PROGRESS)
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "redis-data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    await bare_kube.create(claim, release.namespace)
    for _ in range(2):
        done = await uninstall.remove(bare_kube, release, PROGRESS)
        assert "PersistentVolumeClaim/redis-data" in done.detail


async def test_a_release_of_any_name_is_found_in_its_namespace(
    bare_kube: Kube, release: Release, dev: Values
) -> None:
    assert await discovery.find_only_release(bare_kube, release.namespace) is None
    await apply.ensure(bare_kube, release, dev, PROGRESS)
    assert await discovery.find_only_release(bare_kube, release.namespace) == release.name
