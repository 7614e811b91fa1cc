"""What can't be seen is said once for each reason, and stops nothing."""

from __future__ import annotations

import asyncio

import pytest

from vrooli.diagnosis.evidence.fetch import Looking, grouped
from vrooli.diagnosis.evidence.model import Unavailable
from vrooli.errors import VrooliError


def forbidden(kind: str, where: str) -> Unavailable:
    why = f'{kind} is forbidden: User "bob" cannot list it in the namespace "{where}"'
    return Unavailable(f"{kind} in {where}", why)


def test_one_reason_in_many_namespaces_is_one_line() -> None:
    (found,) = grouped([forbidden("Secret", where) for where in ("dev", "vault", "kube-system")])
    assert found.resource == "Secret in dev, vault, kube-system"
    assert found.reason == 'Secret is forbidden: User "bob" cannot list it there'


def test_other_kinds_and_other_reasons_stay_apart() -> None:
    found = grouped(
        [
            forbidden("Secret", "dev"),
            forbidden("Pod", "dev"),
            Unavailable("Secret in vault", "slow"),
        ]
    )
    assert [item.resource for item in found] == ["Secret in dev", "Pod in dev", "Secret in vault"]


async def raises(error: Exception) -> str:
    raise error


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (VrooliError("refused"), "refused"),
        (KeyError("items"), "the answer can't be read (KeyError: 'items')"),
        (OSError("reset"), "OSError: reset"),
    ],
)
async def test_what_stands_in_the_way_is_noted(error: Exception, said: str) -> None:
    looking = Looking()
    assert await looking.at("pods", raises(error), "otherwise") == "otherwise"
    assert looking.unavailable == [Unavailable("pods", said)]


@pytest.mark.anyio
async def test_what_does_not_answer_ends_at_its_limit() -> None:
    looking = Looking()
    assert await looking.at("pods", asyncio.sleep(30), None, limit_s=0.01) is None
    assert looking.unavailable == [Unavailable("pods", "no answer within 0 s")]
