"""HTTP sessions with Vault: the host of its certificate, and the length of its responses."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import requests
import urllib3

# The length of a response at which reading ends. An entry of Vault's storage has at most 1 MiB.
LIMIT_MIB = 4
LIMIT_BYTES = LIMIT_MIB * 1024 * 1024
CHUNK_BYTES = 64 * 1024
IDENTITY = "identity"

Result = TypeVar("Result")


class RefusedResponseError(requests.RequestException):
    """A response is too long, or compressed: it could be a thousand times as long."""


class _Adapter(requests.adapters.HTTPAdapter):
    """Reads responses up to the limit.

    Args:
        server_name: The host that the certificate must be for; empty: that of the address.
    """

    def __init__(self, server_name: str = "") -> None:
        self._server_name = server_name
        super().__init__()

    def init_poolmanager(self, *words: Any, **options: Any) -> None:
        """Name the host in the handshake, which the certificate is compared with."""
        if self._server_name:
            options["server_hostname"] = self._server_name
        super().init_poolmanager(*words, **options)

    def send(
        self, request: requests.PreparedRequest, *words: Any, **options: Any
    ) -> requests.Response:
        """Send a request and read its response.

        Raises:
            RefusedResponseError: It is too long, or compressed.
            requests.RequestException: The request failed.
        """
        request.headers["Accept-Encoding"] = IDENTITY
        response = super().send(request, *words, **options)
        try:
            content = _read(response)
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(error, request=request) from error
        finally:
            response.close()  # its connection is reused if all was read
        response.raw = io.BytesIO(content)
        return response


def _read(response: requests.Response) -> bytes:
    encoding = response.headers.get("Content-Encoding", IDENTITY)
    if encoding != IDENTITY:
        raise RefusedResponseError("a compressed response")
    content = bytearray()
    # Only a read at the end reports that the connection ended before the response did.
    for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
        content += chunk
        if len(content) > LIMIT_BYTES:
            raise RefusedResponseError(f"more than {LIMIT_MIB} MiB")
    return bytes(content)


def new_session(verify: bool | str, server_name: str = "") -> requests.Session:
    """A session that reads responses up to the limit.

    Args:
        verify: Whether the certificate must be valid for the address; a path is the file of the
            authorities that may have signed it.
        server_name: The host that the certificate must be for; empty: that of the address.
    """
    session = requests.Session()
    session.verify = verify
    session.mount("http://", _Adapter())
    session.mount("https://", _Adapter(server_name))
    return session


async def in_time(call: Callable[[], Result], limit_s: float) -> Result:
    """Run a blocking call in a thread that this process does not wait for.

    A response that arrives byte by byte keeps its thread busy for any time. A thread of the pool
    would then keep the command from ending.

    Raises:
        TimeoutError: It took longer than ``limit_s`` seconds.
    """
    outcome: Future[Result] = Future()
    outcome.set_running_or_notify_cancel()  # from now on, only the thread ends it

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised where the call is awaited
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    async with asyncio.timeout(limit_s):
        return await asyncio.wrap_future(outcome)
