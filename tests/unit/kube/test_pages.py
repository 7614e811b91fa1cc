"""Lists that come page by page: each object once, whatever happens on the way."""

from __future__ import annotations

from typing import Any

import httpx
import kr8s
import pytest

from vrooli.kube import ApiError, Kube
from vrooli.kube.api_errors import build_error


class Lists:
    """An API server's answers to one list, in turn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: httpx.Response) -> None:
        self.asked: list[str] = []
        self.kube = Kube(kr8s.asyncio.Api(kubeconfig={}, bypass_factory=True))
        waiting = list(answers)

        async def call(*words: str, params: dict[str, str], **settings: Any) -> httpx.Response:
            self.asked.append(params.get("continue", ""))
            answer = waiting.pop(0)
            if answer.is_error:
                raise build_error("list Pod", answer)
            return answer

        monkeypatch.setattr(self.kube, "_object_call", call)

    async def names(self) -> list[str]:
        return [item["metadata"]["name"] for item in await self.kube.list("v1", "Pod")]


def page(names: str, more: str = "") -> httpx.Response:
    items = [{"metadata": {"name": name, "uid": f"uid-{name}"}} for name in names]
    return httpx.Response(200, json={"items": items, "metadata": {"continue": more}})


def expired(more: str = "") -> httpx.Response:
    body = {"message": "The provided continue parameter is too old", "metadata": {"continue": more}}
    return httpx.Response(410, json=body)


async def test_a_list_goes_on_where_the_server_says_after_it_forgot_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lists = Lists(monkeypatch, page("ab", "old"), expired("new"), page("cd"))
    assert await lists.names() == ["a", "b", "c", "d"]
    assert lists.asked == ["", "old", "new"]


async def test_a_list_that_begins_anew_gives_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    lists = Lists(monkeypatch, page("ab", "old"), expired(), page("abc", "next"), page("d"))
    assert await lists.names() == ["a", "b", "c", "d"]
    assert lists.asked == ["", "old", "", "next"]


async def test_a_server_that_forgets_every_place_is_not_asked_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lists = Lists(monkeypatch, *[page("a", "old"), expired()] * 20)
    with pytest.raises(ApiError, match="too old"):
        await lists.names()


async def test_objects_without_an_identity_are_all_given(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]}
    assert await Lists(monkeypatch, httpx.Response(200, json=body)).names() == ["a", "b"]


def test_a_refusal_says_when_to_ask_again_and_which_right_is_missing() -> None:
    late = build_error("list Pod", httpx.Response(429, headers={"retry-after": "7"}, json={}))
    assert late.retry_after_s == 7.0
    said = (
        'deployments.apps is forbidden: User "bob" cannot list resource "deployments" in API group '
        '"apps" in the namespace "dev"'
    )
    error = build_error("list Deployment", httpx.Response(403, json={"message": said}))
    assert error.is_forbidden
    assert "permission to list deployments in namespace dev" in error.advice
    assert "kubectl auth can-i list deployments.apps -n dev" in error.advice
    everywhere = said.replace('in the namespace "dev"', "at the cluster scope")
    error = build_error("list Deployment", httpx.Response(403, json={"message": everywhere}))
    assert "can-i list deployments.apps --all-namespaces" in error.advice
    logs = 'cannot get resource "pods/log" in API group "" in the namespace "dev": no such role'
    error = build_error("read the log", httpx.Response(403, json={"message": logs}))
    assert "can-i get pods --subresource=log -n dev" in error.advice
    other = build_error("list Pod", httpx.Response(403, json={"message": "no"}))
    assert other.advice.startswith("Ask an administrator for the missing permission")
