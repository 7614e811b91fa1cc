"""Clients of one API server that are open at the same time."""

from __future__ import annotations

import asyncio
import random
import socket
from pathlib import Path

import pytest

from vrooli.errors import VrooliError
from vrooli.kube import Kube

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "target"},
    "spec": {
        "automountServiceAccountToken": False,
        "containers": [{"name": "main", "image": "none"}],
    },
}


async def test_a_way_to_a_pod_that_has_gone_is_refused_in_our_words(bare_kube: Kube) -> None:
    with pytest.raises(VrooliError, match="Port 80 of pod default/gone"):
        await bare_kube.port_forward("default", "gone", 80)


async def test_ways_to_a_pod_each_have_a_port_that_is_free(
    bare_kube: Kube, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port on which nobody listens may be a connection's all the same, and can't be had."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ways"}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    await bare_kube.create(namespace)
    await bare_kube.create(account, "ways")
    await bare_kube.create(POD, "ways")
    with socket.create_server(("127.0.0.1", 0)) as other, socket.socket() as connection:
        connection.connect(other.getsockname())
        taken = connection.getsockname()[1]
        monkeypatch.setattr(random, "randint", lambda *_: taken)
        async with (
            await bare_kube.port_forward("ways", "target", 80) as first,
            await bare_kube.port_forward("ways", "target", 80) as second,
        ):
            assert len({first, second, taken, 0}) == 4
            for port in (first, second):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()


async def test_a_client_that_is_closed_closes_no_other(bare_kubeconfig: Path) -> None:
    async with await Kube.connect(bare_kubeconfig) as first:
        async with await Kube.connect(bare_kubeconfig) as second:
            assert await second.version() == await first.version()
        session = first._api._session
        assert session is not None
        assert not session.is_closed
        assert await first.version()
