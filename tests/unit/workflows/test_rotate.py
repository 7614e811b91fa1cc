"""The command rotate: what it checks first, its lock, its order, and what it never prints."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.fakes.cluster_failures import Outage
from support.release.rotated_secrets import (
    DOCKERHUB_SYNC,
    POSTGRES_SYNC,
    FakeVault,
    rotator,
    secret,
)
from vrooli.databases.postgres.session import Postgres
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError, UsageError, VrooliError
from vrooli.events import Event, silent
from vrooli.kube import patience
from vrooli.rotation import follow, proofs, readers, targets, vault_values
from vrooli.rotation.model import Rotated
from vrooli.workflows import rotate as workflow
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.results.databases import RotateResult
from vrooli.workflows.rotate import RotateOptions
from vrooli.workflows.safeguards.consent import CONFIRMED, Consent

DEV = ENVIRONMENTS["dev"]
OLD = {"DB_USER": "vrooli", "DB_NAME": "vrooli", "DB_PASSWORD": "old"}
PATH = "vrooli/secrets/postgres"


class Site:
    """A release whose Vault, operators and pods are in memory."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cluster = FakeCluster(
            *(namespace(), POSTGRES_SYNC, DOCKERHUB_SYNC, rotator()),
            secret("vrooli-postgres-creds", OLD),
            secret("vrooli-dev-rotation", {}),
        )
        self.vault = FakeVault(PATH, OLD)
        self.acts: list[str] = []
        self.events: list[Event] = []
        self.refusal: Exception | None = None

        @asynccontextmanager
        async def connect(text: str | None) -> AsyncIterator[Access]:
            reached = SimpleNamespace(kubeconfig=Path("kubeconfig"))
            yield Access(cast(Any, None), cast(Any, reached), self.cluster)

        @asynccontextmanager
        async def vault_of(*_: object) -> AsyncIterator[FakeVault]:
            if self.refusal:
                raise self.refusal
            yield self.vault

        @asynccontextmanager
        async def events(*_: object) -> AsyncIterator[None]:
            yield

        monkeypatch.setattr(access, "connect", connect)
        monkeypatch.setattr(vault_values, "connect", vault_of)
        monkeypatch.setattr(follow, "rotator_events", events)
        monkeypatch.setattr(follow, "request_sync", self._sync)
        monkeypatch.setattr(readers, "await_values", self._read)
        monkeypatch.setattr(Postgres, "of", self._postgres)
        monkeypatch.setattr(proofs, "prove_postgres", self._prove)

    def run(self, *names: Rotated, token: str = "", consent: Consent = CONFIRMED) -> RotateResult:
        options = RotateOptions(DEV, names, token=token)
        return asyncio.run(workflow.rotate(options, self.events.append, consent))

    async def _sync(self, *_: object) -> None:
        lock = self.cluster.find("Lease", "vrooli-dev-deploy")
        self.acts.append("sync" if lock else "sync without the lock")
        for name in ("vrooli-postgres-creds-vault", "vrooli-postgres-creds"):
            self.cluster.add(secret(name, self.vault.values))
        login = json.dumps({"auths": {"r": {"password": self.vault.values.get("password")}}})
        self.cluster.add(secret("vrooli-dockerhub-pull-secret", {".dockerconfigjson": login}))

    async def _read(self, kube: object, target: object, values: Any, *_: object) -> list[str]:
        assert values == {"DB_PASSWORD": self.vault.values["DB_PASSWORD"]}
        self.acts.append("pods")
        return ["server-0"]

    async def _postgres(self, *_: object) -> Any:
        return None

    async def _prove(self, postgres: object, published: Any, previous: Any) -> str:
        assert published["DB_PASSWORD"] == self.vault.values["DB_PASSWORD"]
        self.acts.append(f"refuses {previous.get('DB_PASSWORD')}")
        return "proven"


def test_a_password_reaches_the_pods_before_the_previous_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = Site(monkeypatch)
    result = site.run(Rotated.POSTGRES)
    assert site.acts == ["sync", "pods", "refuses old"]
    (view,) = result.secrets
    assert (view.secret, view.version, view.continued) == ("postgres", 2, False)
    assert (view.pods, view.proof) == (("server-0",), "proven")
    assert result.changed
    assert site.cluster.find("Lease", "vrooli-dev-deploy") is None


def test_no_value_is_in_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(monkeypatch)
    result = site.run(Rotated.POSTGRES)
    text = f"{result.model_dump_json()} {site.events}"
    assert site.vault.values["DB_PASSWORD"] not in text
    assert "'old'" not in text


def test_an_interrupted_rotation_is_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(monkeypatch)
    site.vault.values["DB_PASSWORD"] = "newer"
    result = site.run(Rotated.POSTGRES)
    assert (result.secrets[0].continued, site.vault.version) == (True, 1)
    assert site.acts == ["sync", "pods", "refuses old"]


def test_a_vault_that_cannot_be_written_is_refused_before_anything_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = Site(monkeypatch)
    site.refusal = PrerequisiteError("may not write")
    with pytest.raises(PrerequisiteError):
        site.run(Rotated.POSTGRES)
    assert (site.acts, site.vault.version, site.cluster.changes) == ([], 1, [])


def test_a_missing_secret_is_refused_before_another_one_is_rotated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = Site(monkeypatch)
    with pytest.raises(PrerequisiteError, match="does not read Redis from Vault"):
        site.run(Rotated.POSTGRES, Rotated.REDIS)
    assert (site.acts, site.vault.version) == ([], 1)


def test_production_requires_confirmation(monkeypatch: pytest.MonkeyPatch) -> None:
    options = RotateOptions(ENVIRONMENTS["prod"], (Rotated.POSTGRES,))
    site = Site(monkeypatch)

    async def find(*_: object) -> Any:
        return None

    monkeypatch.setattr(targets, "find", find)
    with pytest.raises(UsageError, match="replace the secrets postgres of vrooli-prod in Vault"):
        asyncio.run(workflow.rotate(options, silent, Consent()))
    assert site.vault.version == 1


def test_a_token_of_docker_hub_is_required_and_restarts_no_pod(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UsageError, match="token of Docker Hub is required"):
        RotateOptions(DEV, (Rotated.DOCKERHUB,))
    site = Site(monkeypatch)
    site.vault = FakeVault("vrooli/dockerhub/pull-credentials", {"username": "u"})
    result = site.run(Rotated.DOCKERHUB, token="dckr_pat_1")
    assert site.vault.values == {"username": "u", "password": "dckr_pat_1"}
    assert site.acts == ["sync"]
    assert [step.step for step in result.steps] == ["dockerhub-value", "dockerhub-secret"]


@pytest.mark.parametrize("refused", [5, Outage.ALL])
def test_a_rotation_goes_on_when_the_api_server_is_back_or_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, refused: int
) -> None:
    monkeypatch.setattr(patience, "PAUSE_S", 0.0)
    site = Site(monkeypatch)
    sync = site._sync

    async def lose(*arguments: object) -> None:
        await sync(*arguments)
        site.cluster.server.outage.left = refused

    monkeypatch.setattr(follow, "request_sync", lose)
    if refused > 0:
        site.run(Rotated.POSTGRES)
        assert site.acts == ["sync", "pods", "refuses old"]
        return
    monkeypatch.setattr(patience, "OUTAGE_S", 0.05)
    reason = "Done: .*value in Vault. Interrupted: .*Secret; what follows was not begun"
    with pytest.raises(VrooliError, match=reason) as failure:
        site.run(Rotated.POSTGRES)
    assert "run the same command again: it continues" in failure.value.advice
