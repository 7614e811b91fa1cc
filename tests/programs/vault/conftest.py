"""One development server for all these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.programs.openbao import Server, running
from support.programs.ports import free_port

ROOT_TOKEN = "root-of-the-tests"


@pytest.fixture(scope="session")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server in its development mode: in memory, unsealed, with a known root token."""
    port = free_port()
    home = tmp_path_factory.mktemp("bao")
    arguments = (
        "-dev",
        "-dev-no-store-token",
        f"-dev-root-token-id={ROOT_TOKEN}",
        f"-dev-listen-address=127.0.0.1:{port}",
    )
    with running(arguments, f"http://127.0.0.1:{port}", home / "log") as server:
        yield Server(server.address, ROOT_TOKEN)
