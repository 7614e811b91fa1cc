"""The parts of a point are restored in order; an error says what was restored and what remains."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from vrooli.backups import listing, targets
from vrooli.backups.points import Point, RedisDump
from vrooli.databases.redis.session import Redis
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import InterruptError, PrerequisiteError, UsageError, VrooliError
from vrooli.events import silent
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.restores import point as workflow
from vrooli.workflows.restores import vault as restore_vault
from vrooli.workflows.restores.point import PointRestoreOptions
from vrooli.workflows.results.backups import (
    PostgresRestoreResult,
    RedisRestoreResult,
    VaultRestoreResult,
)

ID, TIME = "20261129-140501", datetime(2026, 11, 29, 14, 5, 1, tzinfo=UTC)
COMMON: dict[str, Any] = {
    "steps": (),
    "changed": True,
    "elapsed_s": 1.0,
    "release": "vrooli-dev",
    "namespace": "dev",
}
POSTGRES = PostgresRestoreResult(
    **COMMON,
    cluster="vrooli-pg",
    moment=TIME,
    point=ID,
    tables=(),
    differences=(),
    returned_roles=(),
    pause_s=2.0,
    finish_command="vrooli restore --finish",
    undo_command="vrooli restore --undo",
)
REDIS = RedisRestoreResult(
    **COMMON, point=ID, keys=3, pause_s=1.0, previous_point="now", undo_command="vrooli restore now"
)
VAULT = VaultRestoreResult(**COMMON, point=ID, secrets=(), notes=(), undo_command="")
OPTIONS = PointRestoreOptions(ENVIRONMENTS["dev"], ID)

pytestmark = pytest.mark.anyio


class Parts:
    """The restores of the parts; each ends with its result or fails."""

    def __init__(self, patch: pytest.MonkeyPatch, point: Point | None) -> None:
        self.order: list[str] = []
        self.failures: dict[str, BaseException] = {}
        patch.setattr(access, "connect", _connect)
        patch.setattr(listing, "fetch", self._fetch)
        patch.setattr(targets, "at_point", lambda *_: SimpleNamespace(point=point))
        patch.setattr(workflow, "restore_postgres", self._part("postgres", POSTGRES))
        patch.setattr(workflow, "restore_redis", self._part("redis", REDIS))
        redis = SimpleNamespace(master=self._part("master", None))
        patch.setattr(Redis, "of", self._part("redis-check", redis))
        patch.setattr(restore_vault, "prepare", self._part("vault-check", None))
        patch.setattr(restore_vault, "restore_vault", self._part("vault", VAULT))

    async def _fetch(self, *_: object) -> None:
        return None

    def _part(self, name: str, result: Any) -> Any:
        async def restore(*_: object) -> Any:
            if failure := self.failures.get(name):
                raise failure
            self.order.append(name)
            return result

        return restore


@asynccontextmanager
async def _connect(_: str | None) -> AsyncIterator[Access]:
    reached = SimpleNamespace(kubeconfig=Path("kubeconfig"))
    yield Access(cast(Any, None), cast(Any, reached), FakeCluster(namespace("dev")))


def point(vault: Mapping[str, int], redis: RedisDump | None) -> Point:
    return Point(ID, TIME, "vrooli-dev", 7, redis=redis, vault=vault)


FULL = point({"secret/vrooli/secrets/redis": 3}, RedisDump(9, "ab", 1, 3))


CHECKS = ["redis-check", "master", "vault-check"]


async def test_all_parts_are_checked_first_and_the_secrets_are_restored_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = Parts(monkeypatch, FULL)
    result = await workflow.restore_point(OPTIONS, silent)
    assert parts.order == [*CHECKS, "postgres", "redis", "vault"]
    assert (result.postgres, result.redis, result.vault) == (POSTGRES, REDIS, VAULT)
    assert result.notes == ()


@pytest.mark.parametrize("check", CHECKS)
async def test_a_part_that_cannot_be_restored_is_refused_before_any_change(
    monkeypatch: pytest.MonkeyPatch, check: str
) -> None:
    parts = Parts(monkeypatch, FULL)
    parts.failures[check] = PrerequisiteError("It cannot be restored.")
    with pytest.raises(PrerequisiteError, match=r"^It cannot be restored\.$"):
        await workflow.restore_point(OPTIONS, silent)
    assert "postgres" not in parts.order


async def test_what_the_point_lacks_stays_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts(monkeypatch, point({}, None))
    result = await workflow.restore_point(OPTIONS, silent)
    assert parts.order == ["postgres"]
    assert [note.split(",")[0] for note in result.notes] == [
        "the point has no dump of Redis",
        "the point has no versions of secrets in Vault",
    ]


async def test_a_backup_that_is_no_point_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    Parts(monkeypatch, None)
    with pytest.raises(UsageError, match="is a backup of PostgreSQL only"):
        await workflow.restore_point(OPTIONS, silent)


async def test_an_error_of_the_first_part_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts(monkeypatch, FULL)
    parts.failures["postgres"] = InterruptError("Not confirmed; nothing was changed.")
    with pytest.raises(InterruptError) as raised:
        await workflow.restore_point(OPTIONS, silent)
    assert raised.value.message == "Not confirmed; nothing was changed."
    assert parts.order == CHECKS


@pytest.mark.parametrize(
    ("part", "done", "commands"),
    [
        (
            "redis",
            "PostgreSQL has the data of point",
            ["--only redis -e dev", "--only vault -e dev", "--undo"],
        ),
        (
            "vault",
            "PostgreSQL and Redis have the data of point",
            ["--only vault -e dev", "restore --undo", "restore now"],
        ),
    ],
)
async def test_an_error_after_the_first_part_says_what_was_done_and_what_remains(
    monkeypatch: pytest.MonkeyPatch, part: str, done: str, commands: list[str]
) -> None:
    parts = Parts(monkeypatch, FULL)
    parts.failures[part] = InterruptError("Not confirmed; nothing was changed.")
    with pytest.raises(InterruptError) as raised:
        await workflow.restore_point(OPTIONS, silent)
    assert done in raised.value.message
    assert all(command in raised.value.advice for command in commands)
    assert ("--only redis" in raised.value.advice) is (part == "redis")


async def test_an_error_of_the_secrets_of_a_release_without_redis_is_of_vault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = Parts(monkeypatch, point(FULL.vault, None))
    parts.failures["vault"] = VrooliError("It is sealed.")
    with pytest.raises(VrooliError) as raised:
        await workflow.restore_point(OPTIONS, silent)
    assert raised.value.message == (
        f"Secrets in Vault: It is sealed. PostgreSQL has the data of point {ID} already."
    )
    assert "--only redis" not in raised.value.advice


@pytest.mark.parametrize("part", ["redis", "vault"])
async def test_an_interrupt_after_the_first_part_says_what_remains(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    parts = Parts(monkeypatch, FULL)
    parts.failures[part] = asyncio.CancelledError()
    with pytest.raises(InterruptError) as raised:
        await workflow.restore_point(OPTIONS, silent)
    assert "PostgreSQL" in raised.value.message
    assert f"--only {part} -e dev" in raised.value.advice
    # PostgreSQL would refuse to begin again.
    assert "Do not run --all again" in raised.value.advice
