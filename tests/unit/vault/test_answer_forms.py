"""An answer that is not one of Vault's is named, and is no internal error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest

from vrooli.errors import VrooliError
from vrooli.vault import VaultClient

Call = Callable[[VaultClient], Awaitable[Any]]
# Each call, and an answer that has all but one of the fields that it reads.
CALLS: dict[str, tuple[Call, str]] = {
    "health": (lambda vault: vault.check_ready(), '{"initialized": true}'),
    "login": (lambda vault: vault.log_in("role", "jwt"), '{"auth": {}}'),
    "engines": (lambda vault: vault.ensure_kv("secret"), '{"data": {"secret/": {}}}'),
    "engine": (lambda vault: vault.engine("secret"), '{"data": {}}'),
    "policy": (lambda vault: vault.policy("name"), '{"data": {}}'),
    "ensured policy": (lambda vault: vault.ensure_policy("name", "rules"), '{"data": {}}'),
    "role": (lambda vault: vault.role("kubernetes", "name"), '{"data": 1}'),
    "ensured role": (lambda vault: vault.ensure_role("k", "name", {"a": ["b"]}), '{"data": 1}'),
    "token": (lambda vault: vault.use_token_of(["policy"], 60), '{"auth": {}}'),
    "secret": (lambda vault: vault.read_secret("secret", "path"), '{"data": {"data": {}}}'),
    "written": (lambda vault: vault.write_version("secret", "path", {}, 1), '{"data": {}}'),
    "version": (lambda vault: vault.secret_version("secret", "path"), '{"data": {}}'),
    "old version": (
        lambda vault: vault.version("secret", "path", 1),
        '{"data": {"data": {}, "metadata": {"version": 1, "created_time": "x"}}}',
    ),
    "policies": (lambda vault: vault.own_policies(), '{"data": {}}'),
    "capabilities": (lambda vault: vault.capabilities(["path"]), '{"data": {}}'),
}
OTHERS = {"list": "[]", "text": '"x"', "nested": "[" * 50_000, "digits": "9" * 5_000}


@asynccontextmanager
async def answering(status: int, body: str) -> AsyncIterator[VaultClient]:
    """A client of a server with one answer to all requests."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(f"{head}{body}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with closing(VaultClient(address, "token")) as vault:
            yield vault


@pytest.mark.anyio
@pytest.mark.parametrize("name", CALLS)
async def test_an_answer_without_a_field_is_named(name: str) -> None:
    call, body = CALLS[name]
    async with answering(200, body) as vault:
        with pytest.raises(VrooliError, match="answered in another form") as error:
            await call(vault)
    assert vault.address in error.value.message
    assert "proxy" in error.value.advice


@pytest.mark.anyio
@pytest.mark.parametrize("body", OTHERS)
@pytest.mark.parametrize("status", [200, 400])
async def test_an_answer_that_is_no_object_is_named(body: str, status: int) -> None:
    async with answering(status, OTHERS[body]) as vault:
        for name, (call, _) in CALLS.items():
            if (name, status) != ("engine", 400):  # an engine may be unknown
                with pytest.raises(VrooliError):
                    await call(vault)
