"""The authority of a cluster is written into the ConfigMaps that have another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from vrooli.cluster.embedded.api import Api
from vrooli.cluster.embedded.supervisor import root_ca

pytestmark = pytest.mark.anyio


class Server:
    """An API server with the ConfigMap in some namespaces; None if it cannot be read."""

    def __init__(self, authorities: Mapping[str, str] | None, *, is_writable: bool = True) -> None:
        self.authorities, self.is_writable = authorities, is_writable
        self.written: dict[str, Any] = {}

    async def read(self, path: str) -> dict[str, Any]:
        assert path == "/api/v1/configmaps?fieldSelector=metadata.name%3Dkube-root-ca.crt"
        if self.authorities is None:
            return {}
        return {
            "items": [
                {
                    "metadata": {"namespace": namespace, "resourceVersion": "7"},
                    "data": {"ca.crt": authority},
                }
                for namespace, authority in self.authorities.items()
            ]
        }

    async def replace(self, path: str, body: Mapping[str, Any]) -> bool:
        assert body["metadata"]["resourceVersion"] == "7"
        self.written[path] = body["data"]
        return self.is_writable


async def _publish(server: Server) -> bool:
    return await root_ca.publish(cast(Api, server), "new")


async def test_only_another_authority_is_replaced() -> None:
    server = Server({"default": "new", "dev": "old"})
    assert await _publish(server)
    assert server.written == {
        "/api/v1/namespaces/dev/configmaps/kube-root-ca.crt": {"ca.crt": "new"}
    }


async def test_a_new_cluster_has_none() -> None:
    assert await _publish(Server({}))


@pytest.mark.parametrize("server", [Server(None), Server({"dev": "old"}, is_writable=False)])
async def test_the_api_server_is_not_ready_while_pods_would_read_another(server: Server) -> None:
    assert not await _publish(server)
