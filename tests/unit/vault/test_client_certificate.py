"""A client of Vault accepts the certificate of the server that it names, no other one."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from vrooli.errors import PrerequisiteError
from vrooli.vault import VaultClient, certificates, tls

HOST = "vault.vault.svc"
AUTHORITY, OTHER = certificates.new_authority(), certificates.new_authority()
ANSWER = b'HTTP/1.1 200 X\r\ncontent-length: 41\r\n\r\n{"data":{"policies":["p"]},"lease_id":""} '


@asynccontextmanager
async def serving(folder: Path, requests: list[bytes]) -> AsyncIterator[int]:
    """A server with a certificate for the host; it keeps what it receives."""
    pair = certificates.issue(AUTHORITY, (HOST,))
    (folder / "crt").write_bytes(pair.certificate)
    (folder / "key").write_bytes(pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "crt", folder / "key")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("authority", "name", "is_accepted"),
    [
        (AUTHORITY, HOST, True),
        (AUTHORITY, "", False),
        (AUTHORITY, "other.vault.svc", False),
        (OTHER, HOST, False),
    ],
    ids=["host", "loopback", "another host", "another CA"],
)
async def test_the_certificate_must_be_for_the_named_host(
    tmp_path: Path, authority: certificates.Pair, name: str, is_accepted: bool
) -> None:
    requests: list[bytes] = []
    async with serving(tmp_path, requests) as port:
        with tls.trusted(authority.certificate.decode()) as file:
            url = f"https://127.0.0.1:{port}"
            with closing(VaultClient(url, "token", verify=file, server_name=name)) as vault:
                if is_accepted:
                    assert await vault.own_policies() == ["p"]
                else:
                    with pytest.raises(PrerequisiteError):
                        await vault.own_policies()
    assert bool(requests) is is_accepted
