"""The databases of the live release are operated: what one instance allows."""

from __future__ import annotations

import httpx
import pytest

from support.cluster.live import Live
from support.failures.faults_under_load import HEALTHY_S, eventually
from vrooli.errors import PrerequisiteError
from vrooli.events import Event, StepEnded, silent
from vrooli.kube import Kube
from vrooli.operators.redis import names
from vrooli.release import Release
from vrooli.rotation import readers, targets
from vrooli.rotation.model import Rotated
from vrooli.workflows.restores.vault import VaultRestoreOptions, restore_vault
from vrooli.workflows.rotate import RotateOptions, rotate
from vrooli.workflows.switchover import Database, SwitchoverOptions, switchover

pytestmark = [pytest.mark.root, pytest.mark.anyio]

SHARED = "vrooli-secrets-shared-server-jobs"
TOKEN = "token-of-a-rotation-test"
# How long the pods of server and jobs may take to be replaced on a busy machine, seconds.
REPLACED_S = 300.0


@pytest.mark.parametrize("database", Database)
async def test_a_database_without_a_replica_is_not_switched_over(
    live: Live, kube: Kube, database: Database
) -> None:
    options = SwitchoverOptions(live.environment, database, "", live.cluster)
    with pytest.raises(PrerequisiteError, match="has no replica"):
        await switchover(options, silent)
    release = Release.of(live.environment, live.kubeconfig)
    assert (
        await kube.get(
            "coordination.k8s.io/v1", "Lease", f"{release.name}-deploy", release.namespace
        )
        is None
    )


async def test_redis_and_sentinel_are_probed_from_their_start(live: Live, kube: Kube) -> None:
    pods = await kube.list("v1", "Pod", live.environment.namespace, names.FAILOVER_LABEL)
    probes = {
        (container := pod["spec"]["containers"][0])["name"]: container["readinessProbe"]
        for pod in pods
    }
    assert set(probes) == {names.REDIS, names.SENTINEL}
    assert not any("initialDelaySeconds" in probe for probe in probes.values())


async def test_a_rotated_key_reaches_every_pod_and_no_output_and_comes_back(
    live: Live, kube: Kube
) -> None:
    namespace = live.environment.namespace
    before = await targets.read(kube, namespace, SHARED)
    events: list[Event] = []
    options = RotateOptions(live.environment, (Rotated.SHARED,), live.cluster, timeout_s=REPLACED_S)
    result = await rotate(options, events.append)
    after = await targets.read(kube, namespace, SHARED)
    (view,) = result.secrets
    assert {**before, "JWT_SECRET": after["JWT_SECRET"]} == after
    assert before["JWT_SECRET"] != after["JWT_SECRET"]
    assert {name.split("-")[2] for name in view.pods} == {"server", "jobs"}
    assert [step.step for step in events if isinstance(step, StepEnded)] == [
        "shared-value",
        "shared-secret",
        "shared-pods",
    ]
    target = await targets.find(kube, live.environment, Rotated.SHARED)
    restored = await restore_vault(
        VaultRestoreOptions(
            live.environment,
            versions={f"{target.mount}/{target.path}": view.version - 1},
            cluster=live.cluster,
            timeout_s=REPLACED_S,
        ),
        events.append,
    )
    assert await targets.read(kube, namespace, SHARED) == before
    (secret,) = restored.secrets
    assert (secret.changed_keys, secret.version) == (("JWT_SECRET",), view.version + 1)
    assert {name.split("-")[2] for name in secret.pods} == {"server", "jobs"}
    printed = f"{result.model_dump_json()} {restored.model_dump_json()} {events}"
    assert not any(data["JWT_SECRET"] in printed for data in (before, after))
    assert {reader.variable for reader in await readers.find(kube, target, "JWT_SECRET")} == {
        "JWT_SECRET"
    }
    async with httpx.AsyncClient(base_url=live.urls["ui"], timeout=30) as client:

        async def is_healthy() -> bool:
            return (await client.get("/api/health")).status_code == httpx.codes.OK

        await eventually(is_healthy, HEALTHY_S, "the server is healthy")


@pytest.mark.long
async def test_a_token_of_docker_hub_reaches_the_pull_secret_and_comes_back(
    live: Live, kube: Kube
) -> None:
    namespace = live.environment.namespace
    target = await targets.find(kube, live.environment, Rotated.DOCKERHUB)
    before = await targets.read(kube, namespace, target.published)
    options = RotateOptions(live.environment, (Rotated.DOCKERHUB,), live.cluster, TOKEN)
    events: list[Event] = []
    result = await rotate(options, events.append)
    (view,) = result.secrets
    after = await targets.read(kube, namespace, target.published)
    assert TOKEN in str(after)
    assert TOKEN not in f"{result.model_dump_json()} {events}"
    versions = {f"{target.mount}/{target.path}": view.version - 1}
    await restore_vault(
        VaultRestoreOptions(live.environment, versions=versions, cluster=live.cluster), silent
    )
    assert await targets.read(kube, namespace, target.published) == before
