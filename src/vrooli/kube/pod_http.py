"""GET requests to a port of a pod. The path and the response are written by others."""

from __future__ import annotations

import asyncio
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from vrooli import inert
from vrooli.errors import VrooliError
from vrooli.kube.client import Kube
from vrooli.kube.objects import Ref

# The length of a response at which reading ends.
LIMIT_MIB = 4
LIMIT_BYTES = LIMIT_MIB * 1024 * 1024
PATH = re.compile(r"/[^\s\x00-\x1f\x7f]*")
# The length of an invalid path in a message, characters.
QUOTED = 80
# Not "#": a path has no fragment.
_UNQUOTED = string.punctuation.replace("#", "")


@dataclass(frozen=True)
class PodAnswer:
    """A response of a pod.

    Attributes:
        status: Its status code.
        text: Its text, up to `LIMIT_BYTES`.
        is_cut: Whether the response was longer.
    """

    status: int
    text: str
    is_cut: bool = False


async def get(
    kube: Kube,
    pod: Ref,
    port: int,
    path: str,
    *,
    limit_s: float,
    headers: Mapping[str, str] | None = None,
) -> PodAnswer:
    """Send a GET request to a port of a pod, and to nothing else: redirects are not followed.

    Raises:
        VrooliError: The path or a header is not valid, or there is no such pod.
        httpx.HTTPError: The request failed.
        OSError: The connection failed, or the whole took longer than ``limit_s`` seconds.
    """
    if not PATH.fullmatch(path):
        raise VrooliError(f"{inert.line(repr(path[:QUOTED]))} is not a path of a URL: skipped")
    async with (
        asyncio.timeout(limit_s),
        await kube.port_forward(pod.namespace, pod.name, port) as local,
        # Not a proxy of the environment: the port is one of this machine.
        httpx.AsyncClient(timeout=limit_s, trust_env=False) as client,
    ):
        address = httpx.URL(f"http://127.0.0.1:{local}")
        try:
            url = address.copy_with(raw_path=quote(path, safe=_UNQUOTED).encode())
            request = client.build_request("GET", url, headers=dict(headers or {}))
        except (httpx.InvalidURL, ValueError) as error:
            raise VrooliError(f"The request is not valid: {inert.line(str(error))}") from error
        # A compressed response could be a thousand times as long.
        request.headers["Accept-Encoding"] = "identity"
        answer = await client.send(request, stream=True)
        try:
            return await _read(answer)
        finally:
            await answer.aclose()


async def _read(answer: httpx.Response) -> PodAnswer:
    content = bytearray()
    async for chunk in answer.aiter_raw():
        content += chunk
        if len(content) > LIMIT_BYTES:
            break
    text = content[:LIMIT_BYTES].decode(errors="replace")
    return PodAnswer(answer.status_code, text, is_cut=len(content) > LIMIT_BYTES)
