"""The architectures of images and nodes, and what registries respond."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from support.fakes.check_site import rendered, site
from support.fakes.cluster import FakeCluster
from vrooli.checks.images import platforms, registry
from vrooli.checks.images.reference import parse

ARM, AMD = frozenset({"arm64"}), frozenset({"amd64"})


def _index(*architectures: str) -> dict[str, Any]:
    return {"manifests": [{"platform": {"architecture": item}} for item in architectures]}


def test_attestations_are_no_architecture() -> None:
    assert platforms.of_index(_index("amd64", "unknown")) == AMD
    assert platforms.of_index({"config": {}}) == frozenset()


@pytest.mark.parametrize(
    ("available", "nodes", "is_refused", "is_warned"),
    [
        (AMD, ARM, True, False),
        (AMD, AMD | ARM, False, True),
        (AMD | ARM, ARM, False, False),
        (frozenset(), ARM, False, False),
        (AMD, frozenset(), False, False),
    ],
)
def test_an_image_that_no_node_can_run_is_refused(
    available: frozenset[str], nodes: frozenset[str], is_refused: bool, is_warned: bool
) -> None:
    finding, warning = platforms.judge("registry", "r.example/a:1", available, nodes)
    assert (finding is not None, bool(warning)) == (is_refused, is_warned)
    if finding is not None:
        assert "built for the architecture amd64, and the nodes have arm64" in finding.message


async def test_the_check_reads_the_index_with_a_token_and_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return httpx.Response(200, json={"token": "t"})
        if "authorization" not in request.headers:
            challenge = 'Bearer realm="https://r.example/token",scope="repository:a:pull"'
            return httpx.Response(401, headers={"www-authenticate": challenge})
        return httpx.Response(200, json=_index("amd64", "unknown"))

    client = httpx.AsyncClient(transport=httpx.MockTransport(respond))
    monkeypatch.setattr(registry, "LimitedClient", lambda **_: client)
    node = {
        "kind": "Node",
        "metadata": {"name": "one"},
        "status": {"nodeInfo": {"architecture": "arm64"}},
    }
    objects = rendered("prod", image={"registry": "r.example/vrooli"}, vso={"enabled": False})
    result = await registry.run(site(objects, FakeCluster(node), kind="context"))
    refused = [item.resource for item in result.findings if "architecture amd64" in item.message]
    assert any(name.startswith("r.example/") for name in refused)
    assert not any(name.startswith("docker.io/") for name in refused)


@pytest.mark.parametrize("realm", ["http://[::1", "https://r.example/token"])
async def test_a_registry_that_offers_no_usable_token_is_no_error(realm: str) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return httpx.Response(200, json=["t"])
        return httpx.Response(401, headers={"www-authenticate": f'Bearer realm="{realm}"'})

    async with httpx.AsyncClient(transport=httpx.MockTransport(respond)) as client:
        assert await registry.status(client, parse("r.example/a:1")) in (0, 401)
