"""The authority of a cluster is written into the ConfigMaps that have another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from vrooli.cluster.embedded.api import Api
from vrooli.cluster.embedded.polling import poll_until
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


async def _publish(server: Server) -> list[str] | None:
    return await root_ca.publish(cast(Api, server), "new")


async def test_only_another_authority_is_replaced() -> None:
    server = Server({"default": "new", "dev": "old"})
    assert await _publish(server) == []
    assert server.written == {
        "/api/v1/namespaces/dev/configmaps/kube-root-ca.crt": {"ca.crt": "new"}
    }


async def test_a_new_cluster_has_none() -> None:
    assert await _publish(Server({})) == []


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    (tmp_path / "ca.crt").write_text("new")
    return tmp_path / "ca.crt"


@pytest.mark.parametrize("server", [Server(None), Server({"dev": "old"}, is_writable=False)])
async def test_the_api_server_is_not_ready_while_pods_would_read_another(
    server: Server, authority: Path
) -> None:
    assert not await root_ca.Publisher(cast(Api, server), authority).publish()


async def test_a_configmap_that_cannot_be_changed_delays_the_start_for_a_limited_time(
    authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server({"dev": "old", "default": "new"}, is_writable=False)
    publisher = root_ca.Publisher(cast(Api, server), authority)
    monkeypatch.setattr(root_ca, "LIMIT_S", 0.05)

    assert not await publisher.publish()
    assert publisher.problem == ""
    assert await poll_until(publisher.publish, 10)
    assert "kube-root-ca.crt can't be changed in dev: pods there" in publisher.problem
    # The next start of the API server does not wait again.
    assert await publisher.publish()
    server.is_writable = True
    assert await publisher.publish()
    assert publisher.problem == ""


def test_a_report_of_many_namespaces_names_some() -> None:
    text = root_ca.describe([f"ns-{number}" for number in range(1000)])
    assert "ns-4 and 995 more: pods" in text
    assert "ns-5" not in text
