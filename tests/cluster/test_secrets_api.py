"""Secrets without Vault, and Vault's own key: what a real API server keeps of them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.cluster import api_server
from vrooli import programs, project
from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.kube import ApiError, Kube
from vrooli.secrets import env_file, kubernetes
from vrooli.secrets.names import Names
from vrooli.vault import manifests, server

PROGRESS = Progress()


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A bare API server's kubeconfig."""
    found = asyncio.run(programs.ensure(["etcd", "kube-apiserver"], PROGRESS))
    with api_server.running(found, tmp_path_factory.mktemp("bare")) as path:
        yield path


@pytest.fixture
async def bare(kubeconfig: Path) -> AsyncIterator[Kube]:
    async with await Kube.connect(kubeconfig) as kube:
        yield kube


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / ".env.dev"
    env_file.write_first(path)
    return path


async def test_secrets_of_a_file_are_applied_once(bare: Kube, file: Path) -> None:
    assert (await kubernetes.ensure(bare, "once", file, Names(), PROGRESS)).changed
    assert not (await kubernetes.ensure(bare, "once", file, Names(), PROGRESS)).changed


async def test_changed_line_changes_just_its_secret(bare: Kube, file: Path) -> None:
    await kubernetes.ensure(bare, "edited", file, Names(), PROGRESS)
    file.write_text(file.read_text().replace("OPENAI_API_KEY=", "OPENAI_API_KEY=new"))
    done = await kubernetes.ensure(bare, "edited", file, Names(), PROGRESS)
    assert done.detail.endswith("changed vrooli-secrets-shared-server-jobs")
    secret = await bare.get("v1", "Secret", "vrooli-secrets-shared-server-jobs", "edited")
    assert secret is not None
    assert base64.b64decode(secret["data"]["OPENAI_API_KEY"]) == b"new"


async def test_pgo_s_verifier_stays_with_its_password_and_goes_with_it(
    bare: Kube, file: Path
) -> None:
    """PGO computes a verifier only where there is none."""
    await kubernetes.ensure(bare, "adopted", file, Names(), PROGRESS)
    name, verifier = "vrooli-pg-pguser-vrooli", base64.b64encode(b"SCRAM").decode()
    await bare.patch("v1", "Secret", name, "adopted", {"data": {"verifier": verifier}})
    await kubernetes.ensure(bare, "adopted", file, Names(), PROGRESS)
    secret = await bare.get("v1", "Secret", name, "adopted")
    assert secret is not None
    assert secret["data"]["verifier"] == verifier
    file.write_text(file.read_text().replace("DB_PASSWORD=", "DB_PASSWORD=new"))
    await kubernetes.ensure(bare, "adopted", file, Names(), PROGRESS)
    secret = await bare.get("v1", "Secret", name, "adopted")
    assert secret is not None
    assert secret["data"]["verifier"] == ""
    assert base64.b64decode(secret["data"]["password"]).startswith(b"new")


async def test_events_never_show_a_value(bare: Kube, file: Path) -> None:
    said: list[str] = []
    progress = Progress("secrets", lambda event: said.append(repr(event)))
    done = await kubernetes.ensure(bare, "quiet", file, Names(), progress)
    values = [value for secret in env_file.read(file).values() for value in secret.values()]
    shown = " ".join([*said, done.detail])
    assert not [value for value in values if len(value) > len("vrooli") and value in shown]


async def test_vaults_objects_are_taken_in_strict_validation_once(bare: Kube) -> None:
    assert await server._apply(bare, "")
    assert not await server._apply(bare, "")
    assert (await server.status(bare)).state == "not ready"


async def test_seal_key_can_not_be_overwritten(bare: Kube) -> None:
    await server._apply(bare, "")
    with pytest.raises(ApiError, match="immutable"):
        await bare.apply(manifests.seal_key())


async def test_lost_seal_key_is_not_made_anew_while_the_storage_exists(bare: Kube) -> None:
    await server._apply(bare, "")
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": manifests.CLAIM, "namespace": manifests.NAMESPACE},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
        },
    }
    await bare.apply(claim)
    await bare.delete("v1", "Secret", manifests.SEAL_SECRET, manifests.NAMESPACE)
    with pytest.raises(VrooliError, match=r"seal key.* is missing") as raised:
        await server.ensure(bare, project.policies_dir(), PROGRESS)
    assert "kubectl delete namespace vault" in raised.value.advice
    assert await bare.get("v1", "Secret", manifests.SEAL_SECRET, manifests.NAMESPACE) is None
