"""A few posts with pictures, written through the API of a server."""

from __future__ import annotations

import asyncio
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import httpx

from vrooli.errors import VrooliError, WaitTimeoutError
from vrooli.events import Progress
from vrooli.responses import LimitedClient, read_json

# The texts of the posts, and the colours of their pictures; None for a post without one.
POSTS: tuple[tuple[str, tuple[int, int, int] | None], ...] = (
    ("Sunrise over the lake", (244, 162, 97)),
    ("The forest behind the house", (42, 157, 143)),
    ("A post without a picture", None),
    ("First snow of the year", (168, 218, 220)),
    ("Dinner is ready", (231, 111, 81)),
)
# The size of a picture, pixels.
SIZE = 96
# How long a request, and the verdicts about all pictures, may take; and the interval of questions
# for them, seconds.
REQUEST_S, VERDICT_S, POLL_S = 30.0, 120.0, 0.5
# The newest posts among which these are looked for: as many as the API lists.
NEWEST = 200
PENDING = "pending"


@dataclass(frozen=True)
class SamplePost:
    """A post in the database.

    Attributes:
        id: Its ID.
        text: Its text.
        state: pending, approved, refused or failed.
    """

    id: str
    text: str
    state: str


async def write(url: str, progress: Progress) -> tuple[list[SamplePost], int]:
    """Write the posts that are not among the newest ones, and wait for all verdicts.

    Args:
        url: The address of the server.
        progress: Reports what is waited for.

    Returns:
        All sample posts, and how many of them were written now.

    Raises:
        VrooliError: The server refused a request or did not answer.
        WaitTimeoutError: A picture got no verdict in time.
    """
    async with LimitedClient(base_url=url, timeout=REQUEST_S, trust_env=False) as client:
        try:
            existing = await _newest(client)
            missing = [post for post in POSTS if post[0] not in existing]
            written = {text: await _post(client, text, colour) for text, colour in missing}
            progress.report("waiting for the verdicts about the pictures")
            posts = existing | written
            async with asyncio.timeout(VERDICT_S):
                return [await _verdict(client, posts[text]) for text, _ in POSTS], len(written)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise VrooliError(
                f"The server did not accept the posts: {error!r}", "See `vrooli logs server`."
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise VrooliError(
                "The server's answer is not that of the reference services.", "See `vrooli status`."
            ) from error
        except TimeoutError:
            raise WaitTimeoutError(
                f"The pictures got no verdict within {VERDICT_S:.0f} s.", "See `vrooli logs jobs`."
            ) from None


async def _newest(client: httpx.AsyncClient) -> dict[str, SamplePost]:
    answer = await client.get("/api/posts", params={"limit": NEWEST})
    answer.raise_for_status()
    return {body["text"]: _view(body) for body in read_json(answer)["posts"]}


async def _post(
    client: httpx.AsyncClient, text: str, colour: tuple[int, int, int] | None
) -> SamplePost:
    files: dict[str, Any] = {"text": (None, text)}
    if colour is not None:
        files["picture"] = ("seed.png", picture(colour), "image/png")
    answer = await client.post("/api/posts", files=files)
    answer.raise_for_status()
    return _view(read_json(answer))


async def _verdict(client: httpx.AsyncClient, post: SamplePost) -> SamplePost:
    while post.state == PENDING:
        await asyncio.sleep(POLL_S)
        answer = await client.get(f"/api/posts/{post.id}")
        answer.raise_for_status()
        post = _view(read_json(answer))
    return post


def _view(body: dict[str, str]) -> SamplePost:
    return SamplePost(id=body["id"], text=body["text"], state=body["state"])


def picture(colour: tuple[int, int, int]) -> bytes:
    """A PNG of a colour that gets darker towards its lower edge."""
    rows = b"".join(
        b"\0" + bytes(part * (2 * SIZE - row) // (2 * SIZE) for part in colour) * SIZE
        for row in range(SIZE)
    )
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
