"""Secrets of a release are restored in a real Vault; the cluster around it is in memory."""

from __future__ import annotations

import shlex
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import hvac
import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.programs.openbao import Server
from support.release.database_pods import output, owned, pod
from support.release.repository import FakeRepository, backup
from support.release.rotated_secrets import NAME, PLACE, deployment, rotator, secret, sync
from vrooli.backups.points import ANNOTATION, Point
from vrooli.cli.restores.vault import _parse
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import InterruptError, PrerequisiteError, UsageError, WaitTimeoutError
from vrooli.events import Event, LogLine
from vrooli.kube.execution import Completed, Program
from vrooli.release import lease, process_identity
from vrooli.rotation import follow, proofs, targets
from vrooli.rotation.model import SyncedSecret
from vrooli.vault.errors import VaultConflictError
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.restores import vault as workflow
from vrooli.workflows.restores.vault import VaultRestoreOptions
from vrooli.workflows.results.backups import VaultRestoreResult
from vrooli.workflows.safeguards.consent import CONFIRMED, Consent

DEV = ENVIRONMENTS["dev"]
HOST, POINT = "vrooli-pg-repo-host-0", "20261129-140501"
PUBLISHED, SHARED, STATE = "vrooli-postgres-creds", "vrooli-secrets-shared-server-jobs", "rotation"
USER = {"DB_NAME": "vrooli", "DB_USER": "vrooli"}

pytestmark = pytest.mark.anyio


class Site:
    """A release whose secrets are in a real Vault; VSO, rotator and pods follow at once.

    Attributes:
        acts: What has happened in the cluster, in order.
        is_down: Whether VSO does nothing.
    """

    def __init__(self, vault: Server) -> None:
        self.kv = hvac.Client(vault.address, vault.token).secrets.kv.v2
        self.folder = f"tests/{uuid.uuid4()}"
        self.postgres, self.shared = f"{self.folder}/postgres", f"{self.folder}/shared"
        self.acts: list[str] = []
        self.events: list[Event] = []
        self.is_down = False
        self.cluster = FakeCluster(
            *(namespace(PLACE), rotator(), secret(f"{NAME}-{STATE}", {})),
            sync("postgres", self.postgres, f"{PUBLISHED}-vault"),
            sync("shared", self.shared, SHARED),
            *(owned("PostgresCluster", "vrooli-pg", NAME), pod(HOST, {})),
            deployment(
                "server",
                {
                    "name": "main",
                    "envFrom": [{"secretRef": {"name": name}} for name in (PUBLISHED, SHARED)],
                },
            ),
            pod("server-0", {"app": "server"}),
        )
        self.cluster.server.programs.handlers[PLACE, "server-0", "main"] = self._print

    def write(self, path: str, **values: str) -> int:
        """Write a version as its owner does, and let the cluster follow."""
        answer = self.kv.create_or_update_secret(path, secret=values)
        self.arrive(path)
        return int(answer["data"]["version"])

    def read(self, path: str) -> dict[str, str]:
        """The current values."""
        answer = self.kv.read_secret_version(path, raise_on_deleted_version=True)
        return dict(answer["data"]["data"])

    def current(self, path: str) -> int:
        """The number of the current version."""
        return int(self.kv.read_secret_metadata(path)["data"]["current_version"])

    def arrive(self, path: str) -> None:
        """Copy a secret to the cluster, as VSO and the rotator do."""
        values = self.read(path)
        if path == self.shared:
            self.cluster.add(secret(SHARED, values))
            return
        self.cluster.add(secret(f"{PUBLISHED}-vault", values))
        self.cluster.add(secret(PUBLISHED, {**values, "DB_USER": "vrooli-alternate"}))

    async def sync(self, kube: object, synced: SyncedSecret) -> None:
        """What VSO does for a request."""
        has_lock = self.cluster.find("Lease", f"{NAME}-deploy") is not None
        self.acts.append(f"{synced.path.rpartition('/')[2]}{'' if has_lock else ' without lock'}")
        if self.is_down:
            raise WaitTimeoutError("VSO is down", "Look at VSO.")
        self.arrive(synced.path)

    async def prove(self, postgres: object, published: Any, previous: Any) -> str:
        """Note the passwords of a proof."""
        assert published["DB_PASSWORD"] == self.read(self.postgres)["DB_PASSWORD"]
        self.acts.append(f"refuses {previous.get('DB_PASSWORD')}")
        return "proven"

    def record(self, **point: int) -> None:
        """Add a point with versions of secrets by the attribute with the path."""
        versions = {f"secret/{getattr(self, name, name)}": item for name, item in point.items()}
        taken = Point(POINT, datetime.now(UTC) + timedelta(seconds=1), NAME, 7, vault=versions)
        bodies = [
            backup("20261129-000000F"),
            backup("20261129-094420F", annotation={ANNOTATION: taken.to_annotation()}),
        ]
        handlers = self.cluster.server.programs.handlers
        handlers[PLACE, HOST, "pgbackrest"] = FakeRepository(bodies).run

    async def restore(
        self, point: str = POINT, consent: Consent = CONFIRMED, **versions: int
    ) -> VaultRestoreResult:
        """Restore a point, or versions by the attribute with the path."""
        named = {f"secret/{getattr(self, name, name)}": item for name, item in versions.items()}
        options = VaultRestoreOptions(DEV, "" if named else point, named)
        return await workflow.restore_vault(options, self.events.append, consent)

    def lines(self) -> list[str]:
        """What was shown before the question."""
        return [item.text for item in self.events if isinstance(item, LogLine)]

    def _print(self, program: Program) -> Completed:
        data = {
            **targets.data_of(self.cluster.find("Secret", PUBLISHED)),
            **targets.data_of(self.cluster.find("Secret", SHARED)),
        }
        value = data.get(program.argv[-1], "").encode()
        return output(f"{sha256(value).hexdigest()}  -\n")


@pytest.fixture
def site(vault: Server, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A release that was rotated twice: each secret has three versions."""
    result = Site(vault)

    @asynccontextmanager
    async def connect(text: str | None) -> AsyncIterator[Access]:
        reached = SimpleNamespace(kubeconfig=Path("kubeconfig"))
        yield Access(cast(Any, None), cast(Any, reached), result.cluster)

    @asynccontextmanager
    async def events(*_: object) -> AsyncIterator[None]:
        yield

    monkeypatch.setattr(access, "connect", connect)
    monkeypatch.setattr(follow, "rotator_events", events)
    monkeypatch.setattr(follow, "request_sync", result.sync)
    monkeypatch.setattr(proofs, "prove_postgres", result.prove)
    monkeypatch.setenv("VAULT_ADDR", vault.address)
    monkeypatch.setenv("VAULT_TOKEN", vault.token)
    for number in ("one", "two", "three"):
        result.write(result.postgres, **USER, DB_PASSWORD=f"password-{number}")
        result.write(result.shared, JWT_SECRET=f"key-{number}", OPENAI_API_KEY="same")
    return result


def only_asked(changes: Callable[[], object]) -> Consent:
    """A consent that does something else before it agrees."""

    def ask(text: str) -> bool:
        changes()
        return True

    return Consent(ask=ask)


async def test_the_values_of_a_point_are_new_versions_and_the_ones_in_between_are_refused(
    site: Site,
) -> None:
    site.record(postgres=1, shared=1, gone=1)
    result = await site.restore()
    assert site.read(site.postgres) == {**USER, "DB_PASSWORD": "password-one"}
    assert site.read(site.shared)["JWT_SECRET"] == "key-one"
    assert [item.version for item in result.secrets] == [4, 4]
    assert site.acts == ["postgres", "refuses password-three", "shared"]
    assert [step.step for step in result.steps] == [
        *("postgres-value", "postgres-secret", "postgres-pods", "postgres-refusal"),
        *("shared-value", "shared-secret", "shared-pods"),
    ]
    postgres = result.secrets[0]
    assert (postgres.changed_keys, postgres.pods) == (("DB_PASSWORD",), ("server-0",))
    assert site.lines() == [
        f"secret/{site.postgres}: version 3 -> 1: changes DB_PASSWORD",
        f"secret/{site.shared}: version 3 -> 1: changes JWT_SECRET",
        f"secret/gone is in the point, but {NAME} does not read it any more",
    ]
    assert site.cluster.find("Lease", f"{NAME}-deploy") is None
    shown = f"{result.model_dump_json()} {site.events}"
    assert not any(word in shown for word in ("password-", "key-", "same"))


async def test_the_printed_command_writes_the_previous_values_again(site: Site) -> None:
    result = await site.restore(shared=1, postgres=3)
    words = shlex.split(result.undo_command)
    assert words[:4] == ["vrooli", "restore", "--only", "vault"]
    assert words[4:] == ["--vault-version", f"secret/{site.shared}=3", "-e", "dev"]
    options = VaultRestoreOptions(DEV, versions=dict([_parse(words[5])]))
    undone = await workflow.restore_vault(options, site.events.append)
    assert undone.secrets[0].version == 5
    assert site.read(site.shared)["JWT_SECRET"] == "key-three"


async def test_equal_values_change_nothing_and_are_not_asked_about(site: Site) -> None:
    site.write(site.shared, JWT_SECRET="key-one", OPENAI_API_KEY="same")
    site.cluster.server.requests.clear()
    result = await site.restore(consent=Consent(), shared=1, postgres=3)
    assert not result.changed
    assert (result.steps, result.undo_command, site.acts) == ((), "", [])
    assert (site.current(site.shared), site.current(site.postgres)) == (4, 3)
    assert site.cluster.changes == []


async def test_an_interrupted_restore_is_continued_without_another_version(site: Site) -> None:
    site.is_down = True
    with pytest.raises(WaitTimeoutError) as failure:
        await site.restore(postgres=1)
    command = f"`vrooli restore --only vault --vault-version secret/{site.postgres}=3 -e dev`"
    assert command in failure.value.advice
    site.is_down = False
    result = await site.restore(consent=Consent(), postgres=1)
    assert (site.current(site.postgres), result.secrets[0].version) == (4, 4)
    assert site.acts == ["postgres", "postgres", "refuses password-three"]


async def test_it_is_confirmed(site: Site) -> None:
    with pytest.raises(UsageError, match=r"write earlier values of secret/.*/shared of vrooli-dev"):
        await site.restore(consent=Consent(), shared=1)
    with pytest.raises(InterruptError):
        await site.restore(consent=Consent(ask=lambda _: False), shared=1)
    assert (site.current(site.shared), site.acts) == (3, [])
    assert len(site.lines()) == 2


async def test_a_concurrent_change_in_vault_is_not_overwritten(site: Site) -> None:
    consent = only_asked(lambda: site.write(site.shared, JWT_SECRET="of somebody else"))
    with pytest.raises(VaultConflictError, match="changed by somebody else"):
        await site.restore(consent=consent, shared=1)
    assert site.read(site.shared) == {"JWT_SECRET": "of somebody else"}
    assert site.acts == []


async def test_versions_that_vault_lacks_are_refused_together(site: Site) -> None:
    site.kv.destroy_secret_versions(site.postgres, versions=[1])
    site.kv.delete_secret_versions(site.shared, versions=[2])
    with pytest.raises(PrerequisiteError) as refused:
        await site.restore(postgres=1, shared=2)
    assert f"version 1 of secret/{site.postgres} were destroyed" in refused.value.message
    assert f"Version 2 of secret/{site.shared} was deleted" in refused.value.message
    assert f"vault kv undelete -mount=secret -versions=2 {site.shared}" in refused.value.advice
    site.kv.undelete_secret_versions(site.shared, versions=[2])
    await site.restore(shared=2)
    assert site.read(site.shared)["JWT_SECRET"] == "key-two"


async def test_a_path_that_is_gone_or_was_created_again_is_refused(site: Site) -> None:
    site.record(shared=1)
    site.kv.delete_metadata_and_all_versions(site.shared)
    with pytest.raises(PrerequisiteError, match=f"no secret secret/{site.shared} any more"):
        await site.restore()
    site.write(site.shared, JWT_SECRET="of another secret")
    point = Point(POINT, datetime.now(UTC) - timedelta(hours=1), NAME, 7)
    old = Point(**{**vars(point), "vault": {f"secret/{site.shared}": 1}})
    bodies = [backup("20261129-094420F", annotation={ANNOTATION: old.to_annotation()})]
    site.cluster.server.programs.handlers[PLACE, HOST, "pgbackrest"] = FakeRepository(bodies).run
    with pytest.raises(PrerequisiteError, match="created again after the point"):
        await site.restore()
    assert site.current(site.shared) == 1


async def test_a_deleted_current_version_comes_back(site: Site) -> None:
    site.kv.delete_latest_version_of_secret(site.postgres)
    result = await site.restore(postgres=2)
    assert site.read(site.postgres)["DB_PASSWORD"] == "password-two"
    assert result.undo_command == ""
    assert "version 3 (deleted) -> 2: adds DB_NAME, DB_PASSWORD, DB_USER" in site.lines()[0]


@pytest.mark.parametrize("capabilities", ['["read"]', '["read", "create"]'])
async def test_missing_rights_are_named(
    site: Site, vault: Server, monkeypatch: pytest.MonkeyPatch, capabilities: str
) -> None:
    root, name = hvac.Client(vault.address, vault.token), f"test-{uuid.uuid4()}"
    rules = f'path "secret/data/{site.folder}/*" {{ capabilities = {capabilities} }}'
    root.sys.create_or_update_policy(name, rules)
    token = root.auth.token.create(policies=[name])["auth"]["client_token"]
    monkeypatch.setenv("VAULT_TOKEN", token)
    with pytest.raises(PrerequisiteError) as refused:
        await site.restore(shared=1)
    missing = "create, update" if "create" not in capabilities else "update"
    assert f"lack {missing} for secret/data/{site.shared}" in refused.value.message
    assert not (await site.restore(consent=Consent(), shared=3)).changed


async def test_a_vault_elsewhere_needs_an_address_and_a_token(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VAULT_TOKEN")
    with pytest.raises(PrerequisiteError, match="VAULT_TOKEN is not set"):
        await site.restore(shared=1)


async def test_a_deploy_at_the_same_time_is_refused(site: Site) -> None:
    now = datetime.now(UTC)
    metadata = {"name": f"{NAME}-deploy", "annotations": {}}
    spec = {**lease._spec("somebody", now, now)}
    site.cluster.add({"kind": "Lease", "metadata": metadata, "spec": spec})
    assert process_identity.name() != "somebody"
    with pytest.raises(PrerequisiteError, match="Another deploy of vrooli-dev is running"):
        await site.restore(shared=1)
    assert site.current(site.shared) == 3


@pytest.mark.parametrize("state", [{"postgres.rotating": "true"}, {}])
async def test_a_rotation_that_has_not_completed_is_refused(
    site: Site, state: dict[str, str]
) -> None:
    site.cluster.add(secret(f"{NAME}-{STATE}", state))
    if not state:
        values = {**USER, "DB_PASSWORD": "password-four"}
        site.kv.create_or_update_secret(site.postgres, secret=values)
    with pytest.raises(PrerequisiteError, match="password of postgres has not completed") as error:
        await site.restore(postgres=1)
    assert "`vrooli rotate postgres -e dev` continues it" in error.value.advice


async def test_a_password_without_a_rotator_is_refused_and_other_secrets_are_not(
    site: Site,
) -> None:
    site.cluster.remove("Deployment", f"{NAME}-rotator")
    site.cluster.add(sync("postgres", site.postgres, PUBLISHED))
    with pytest.raises(PrerequisiteError, match="No rotator publishes the password of postgres"):
        await site.restore(postgres=1)
    assert (await site.restore(shared=1)).changed


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ("20200101-000000", "There is no point or backup"),
        ("20261129-000000F", "has no versions of the secrets"),
    ],
)
async def test_a_point_without_versions_is_refused(site: Site, point: str, message: str) -> None:
    site.record(postgres=1)
    with pytest.raises(UsageError, match=message):
        await site.restore(point)


async def test_a_point_cannot_name_a_secret_of_others(site: Site) -> None:
    site.write(site.folder, A="a")
    site.record(folder=1)
    with pytest.raises(UsageError, match="has no versions of the secrets of vrooli-dev"):
        await site.restore()
    with pytest.raises(UsageError, match=r"does not read secret/tests/.* from Vault") as refused:
        await site.restore(folder=1)
    assert f"It reads secret/{site.postgres}, secret/{site.shared}." in refused.value.advice


def test_either_a_point_or_versions_are_required() -> None:
    for options in ({}, {"point": "a", "versions": {"b": 1}}):
        with pytest.raises(UsageError, match="to a point, or to versions"):
            VaultRestoreOptions(DEV, **cast(Any, options))


async def test_the_current_number_zero_is_no_version(site: Site) -> None:
    with pytest.raises(PrerequisiteError, match="does not have version 0"):
        await site.restore(shared=0)
