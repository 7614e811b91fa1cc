"""A backup reads the versions of secrets in a Vault that `setup` did not install."""

from __future__ import annotations

import uuid
from pathlib import Path

import hvac
import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.programs.openbao import Server
from support.release.database_pods import owned, pod
from support.release.records import helm_secret, record
from support.release.repository import FakeRepository
from support.release.rotated_secrets import NAME, PLACE, sync
from vrooli.chart import manifest
from vrooli.environments import ENVIRONMENTS
from vrooli.release.model import Release
from vrooli.workflows.backups.run import BackupOptions, BackupRun

RELEASE = Release(NAME, PLACE, Path("kubeconfig"))
HOST = "vrooli-pg-repo-host-0"
API = "secrets.hashicorp.com/v1beta1"

pytestmark = pytest.mark.anyio


class Site:
    """A release with three secrets in Vault, one of which does not exist there.

    Attributes:
        folder: The path of the secrets.
    """

    def __init__(self, vault: Server) -> None:
        self.root = hvac.Client(vault.address, vault.token)
        self.folder = f"tests/{uuid.uuid4()}"
        for name, count in (("postgres", 3), ("redis", 1)):
            for number in range(count):
                self.root.secrets.kv.v2.create_or_update_secret(
                    f"{self.folder}/{name}", secret={"password": f"value-{number}"}
                )

    def token(self, path: str) -> str:
        """A token that can read one path."""
        name = f"test-{uuid.uuid4()}"
        rules = f'path "{path}" {{ capabilities = ["read"] }}'
        self.root.sys.create_or_update_policy(name, rules)
        return str(self.root.auth.token.create(policies=[name])["auth"]["client_token"])

    async def run(self) -> BackupRun:
        """A backup that is prepared."""
        secrets = [
            manifest.from_body(
                {"apiVersion": API, **sync(name, f"{self.folder}/{name}", name)}, PLACE
            )
            for name in ("redis", "postgres", "absent", "postgres")
        ]
        cluster = FakeCluster(
            *(namespace(PLACE), owned("PostgresCluster", "vrooli-pg", NAME), pod(HOST, {})),
            helm_secret(RELEASE, record(objects=secrets)),
        )
        cluster.server.programs.handlers[PLACE, HOST, "pgbackrest"] = FakeRepository().run
        return await BackupRun.prepared(BackupOptions(ENVIRONMENTS["dev"]), cluster, RELEASE)


@pytest.fixture
def site(vault: Server, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A release whose Vault is reached by the variables of the environment."""
    monkeypatch.setenv("VAULT_ADDR", vault.address)
    monkeypatch.delenv("VAULT_TOKEN", raising=False)
    return Site(vault)


async def test_the_versions_are_read_by_a_token_that_cannot_read_values(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", site.token(f"secret/metadata/{site.folder}/*"))
    run = await site.run()
    assert await run.read_vault() == {
        f"secret/{site.folder}/postgres": 3,
        f"secret/{site.folder}/redis": 1,
    }
    assert run.notes == []


async def test_a_missing_token_is_a_note_with_advice(site: Site) -> None:
    run = await site.run()
    assert await run.read_vault() == {}
    (note,) = run.notes
    assert "VAULT_TOKEN is not set" in note
    assert f"a token that can read the metadata of secret/{site.folder}/" in note


async def test_a_missing_right_is_a_note_with_its_path(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", site.token(f"secret/data/{site.folder}/*"))
    run = await site.run()
    assert await run.read_vault() == {}
    (note,) = run.notes
    assert f"lack the capability read at secret/metadata/{site.folder}/" in note
