"""The wait for the archiving of WAL: its limit, and what it reports."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from vrooli.backups import moment
from vrooli.errors import VrooliError

WAL = "00000001000000000000000E"
TIME = "2026-11-29T14:29:00+00:00"

pytestmark = pytest.mark.anyio


class Stub:
    """A PostgreSQL whose archiver has one state."""

    name = "vrooli-pg"

    def __init__(self, **state: Any) -> None:
        self.state = {"wal": None, "time": None, "failed": None, "is_failing": False, **state}
        self.limit_s = 0.0
        self.statements = ""

    async def execute(self, statements: str, *, limit_s: float) -> None:
        self.statements, self.limit_s = statements, limit_s

    async def query(self, _: str) -> list[dict[str, Any]]:
        return [self.state]


async def test_the_statement_may_take_longer_than_the_wait_in_it() -> None:
    postgres: Any = Stub(wal=WAL, time=TIME)
    await moment.archive(postgres, WAL, 120.0)
    (limit,) = re.findall(r"interval '([\d.]+) s'", postgres.statements)
    assert float(limit) == 120.0
    assert postgres.limit_s > 120.0


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({}, "it has archived none"),
        (
            {"wal": "00000001000000000000000C", "time": TIME},
            "the last archived one is 00000001000000000000000C at 2026-11-29 14:29:00 UTC",
        ),
        (
            {"failed": "00000001000000000000000D", "is_failing": True},
            "archiving 00000001000000000000000D fails, it has archived none",
        ),
    ],
)
async def test_what_is_missing_is_reported(state: dict[str, Any], reason: str) -> None:
    postgres: Any = Stub(**state)
    message = f"did not archive the WAL segment {WAL} within 2 s: {reason}."
    with pytest.raises(VrooliError, match=re.escape(message)):
        await moment.archive(postgres, WAL, 2.0)


async def test_a_failure_before_the_last_success_is_over() -> None:
    state = await moment.archiver(Stub(wal=WAL, time=TIME, failed="old"))  # type: ignore[arg-type]
    assert state == moment.Archiver(WAL, datetime(2026, 11, 29, 14, 29, tzinfo=UTC), "")
