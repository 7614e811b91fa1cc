"""Clients of one API server that are open at the same time."""

from __future__ import annotations

import asyncio
import random
import socket
from pathlib import Path

import pytest

from vrooli.errors import VrooliError
from vrooli.kube import Kube, Manifest, watches

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


async def test_a_wait_ends_though_the_object_is_deleted_between_two_requests(
    bare_kube: Kube, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first watch, and while a closed watch pauses."""
    name = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "deleted"}}
    place = ("v1", "ConfigMap", "deleted")
    monkeypatch.setattr(watches, "WATCH_S", 1)
    monkeypatch.setattr(watches, "PAUSE_S", 3)
    get = bare_kube.get

    async def get_and_delete(*args: str) -> Manifest | None:
        body = await get(*args)
        await bare_kube.delete(*place, "default")
        return body

    def lack(body: Manifest | None) -> str | None:
        return "it exists" if body else None

    await bare_kube.create(name, "default")
    with monkeypatch.context() as patched:
        patched.setattr(bare_kube, "get", get_and_delete)
        assert await bare_kube.wait_for(*place, "default", lack, 10)
    await bare_kube.create(name, "default")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bare_kube.wait_for(*place, "default", lack, 20))
        await asyncio.sleep(2.5)
        await bare_kube.delete(*place, "default")
    assert waiting.result()
