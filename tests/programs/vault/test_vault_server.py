"""Why the development Vault isn't ready, asked of a real server behind a stand-in for its pod."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import hvac
import pytest

from support.programs.openbao import running
from support.programs.ports import free_port
from vrooli.errors import PrerequisiteError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.vault import server
from vrooli.vault.errors import VaultSealedError


class Pods:
    """Stands for a cluster whose Vault answers on a port of this host."""

    def __init__(self, port: int, phase: str = "Running") -> None:
        self._port = port
        self._phase = phase

    async def get(self, *_: object) -> dict[str, Any]:
        return {"status": {"phase": self._phase}}

    async def port_forward(self, *_: object) -> AbstractAsyncContextManager[int]:
        @asynccontextmanager
        async def forward() -> AsyncIterator[int]:
            yield self._port

        return forward()


@pytest.fixture
def never_ready(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A pod that doesn't become ready; gives how long each wait for it was."""
    waits: list[float] = []

    async def wait_ready(*arguments: Any) -> None:
        waits.append(arguments[4])
        raise WaitTimeoutError("0 of 1 pods are ready")

    monkeypatch.setattr(server.workloads, "wait_ready", wait_ready)
    return waits


async def test_a_sealed_server_is_told_before_the_limit(
    never_ready: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    port = free_port()
    arguments = ("-dev", "-dev-no-store-token", "-dev-root-token-id=sealer")
    listen, log = f"-dev-listen-address=127.0.0.1:{port}", tmp_path_factory.mktemp("sealed") / "log"
    with running([*arguments, listen], f"http://127.0.0.1:{port}", log) as found:
        hvac.Client(found.address, "sealer").sys.seal()
        with pytest.raises(VaultSealedError, match="is sealed") as raised:
            await server._wait_ready(Pods(port), Progress())  # type: ignore[arg-type]
    assert raised.value.exit_code == PrerequisiteError.exit_code
    assert never_ready == [server.UNSEALED_S]


@pytest.mark.parametrize("phase", ["Running", "Pending"])
async def test_a_server_that_does_not_answer_is_waited_for_until_the_limit(
    never_ready: list[float], phase: str
) -> None:
    with pytest.raises(WaitTimeoutError, match="0 of 1 pods"):
        await server._wait_ready(Pods(free_port(), phase), Progress())  # type: ignore[arg-type]
    assert sum(never_ready) == server.READY_S
