"""Requests about pods that the API server refuses."""

from __future__ import annotations

from typing import Any

import httpx
import httpx_ws
import kr8s
import pytest

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube import pods
from vrooli.kube.pods import Pods

REFUSED = (
    'pods "vault-0" is forbidden: User "u" cannot list resource "pods" in API group "" '
    'in the namespace "vault"'
)

pytestmark = pytest.mark.anyio


async def _forward(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    async def get(*_: Any, **__: Any) -> None:
        raise kr8s.ServerError(message)

    monkeypatch.setattr(pods.Pod, "get", get)
    kube = object.__new__(Pods)
    kube._api = None  # type: ignore[assignment]
    await kube.port_forward("vault", "vault-0", 8200)


async def test_a_missing_permission_is_named_with_the_one_to_ask_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(PrerequisiteError, match="Port 8200 of pod vault/vault-0") as failure:
        await _forward(monkeypatch, REFUSED)
    assert "permission to list pods in namespace vault" in failure.value.advice


async def test_other_refusals_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(VrooliError, match="not now") as failure:
        await _forward(monkeypatch, "not now")
    assert not isinstance(failure.value, PrerequisiteError)


async def test_a_program_that_cannot_run_is_named_by_its_first_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise httpx_ws.WebSocketUpgradeError(httpx.Response(404))

    monkeypatch.setattr(pods, "Exec", refuse)
    kube = object.__new__(Pods)
    kube._api = None  # type: ignore[assignment]
    query = ["psql", "-c", "SELECT one,\n  two " * 100]
    with pytest.raises(VrooliError) as failure:
        await kube.exec("dev", "pg-0", query, "database")
    message = failure.value.message
    assert message.startswith("`psql -c SELECT one, two")
    assert message.endswith("…` failed in pod dev/pg-0: 404 Not Found")
