"""Reads that fail are recorded and stop nothing."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from vrooli.errors import VrooliError
from vrooli.kube import ApiError
from vrooli.kube.fetch import Fetcher
from vrooli.kube.unavailable import Cause, Unavailable


async def raises(error: Exception) -> str:
    raise error


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (VrooliError("refused"), "refused"),
        (KeyError("items"), "the answer can't be read (KeyError: 'items')"),
        (OSError("reset"), "OSError: reset"),
    ],
)
async def test_failed_read_is_recorded(error: Exception, reason: str) -> None:
    fetcher = Fetcher()
    assert await fetcher.fetch("pods", partial(raises, error), "otherwise") == "otherwise"
    assert fetcher.unavailable == [Unavailable("pods", reason)]


@pytest.mark.anyio
async def test_read_without_an_answer_ends_at_its_limit() -> None:
    fetcher = Fetcher()

    async def late() -> str:
        return await asyncio.sleep(30, "late")

    assert await fetcher.fetch("pods", late, "otherwise", limit_s=0.01) == "otherwise"
    assert fetcher.unavailable == [Unavailable("pods", "no answer within 0 s", cause=Cause.TIMEOUT)]


@pytest.mark.parametrize(
    ("status", "cause"),
    [(403, Cause.FORBIDDEN), (404, Cause.NOT_FOUND), (500, Cause.ERROR)],
)
def test_status_of_a_refusal_is_the_cause(status: int, cause: Cause) -> None:
    missing = Unavailable.of("Secret in dev", ApiError("list Secret", status, "refused"))
    assert missing.cause is cause
    assert "refused" in str(missing)
