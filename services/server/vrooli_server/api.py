"""The API's routes: posts, their pictures, their live state."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vrooli_server.cache import cached_list
from vrooli_server.feed import Feed
from vrooli_server.idempotency import REPLAYED, in_use, not_sender, read_key, read_value, reused
from vrooli_server.state import State
from vrooli_server.uploads import read_post
from vrooli_shared.counts import RETRY_AFTER
from vrooli_shared.downloads import take_turn
from vrooli_shared.health import describe
from vrooli_shared.idempotency import KeyInUseError, KeyReusedError, NotSenderError
from vrooli_shared.live import announce, announce_deletion
from vrooli_shared.posts import Post
from vrooli_shared.posts import State as PostState
from vrooli_shared.queue import enqueue
from vrooli_shared.redis_link import OPTIONAL_TIMEOUT_S, UNAVAILABLE_ERRORS
from vrooli_shared.storage import StorageFullError
from vrooli_shared.web import ApiError

log = logging.getLogger(__name__)

LIMIT_DEFAULT = 50
LIMIT_MAX, LIMIT_DIGITS = 200, 3
STORAGE_FULL = {
    "pictures": "The storage for pictures is full. Post without a picture, or try again later.",
    "texts": "The storage for posts is full. Try again later.",
}
# Interval of comments that prevent proxies from closing an idle stream, seconds.
PING_S = 15


def state_of(request: Request) -> State:
    """The state that the application created at startup."""
    state = request.app.state.vrooli
    if not isinstance(state, State):
        raise TypeError("the application was not started")
    return state


async def create_post(request: Request) -> Response:
    """POST /api/posts: store the post and queue its moderation.

    A repeated request with the same ``Idempotency-Key`` gets the first response. With
    ``?dry_run=true`` the post is stored and rolled back in one transaction.
    """
    state = state_of(request)
    text, picture = await read_post(request, state.settings)
    dry_run = _dry_run(request.query_params.get("dry_run"))
    key = read_key(request, text, picture)
    try:
        created = await state.posts.create(uuid4(), text, picture, key, dry_run=dry_run)
    except KeyReusedError:
        raise reused() from None
    except KeyInUseError:
        raise in_use() from None
    except StorageFullError as error:
        raise ApiError(507, "storage-full", STORAGE_FULL[str(error)]) from None
    if dry_run:
        return JSONResponse(created.answer)
    await _publish(state, created.post)
    headers = {"Location": f"/api/posts/{created.post.id}"}
    if created.is_replay:
        headers[REPLAYED] = "true"
    return JSONResponse(created.answer, status_code=201, headers=headers)


async def _publish(state: State, post: Post) -> None:
    """Queue the post's moderation and notify the pages, also for a repeated request.

    The first request may have failed after storing the post. A post is queued only once.
    """
    if post.state == PostState.PENDING:
        try:
            async with asyncio.timeout(OPTIONAL_TIMEOUT_S):
                await enqueue(state.queue, post.id)
        except UNAVAILABLE_ERRORS as error:
            # The post is in PostgreSQL: a cron job will queue it.
            log.warning("post %s is stored, but not queued: %s", post.id, describe(error))
    await announce(state.redis, post)


async def list_posts(request: Request) -> Response:
    """GET /api/posts?limit=: the newest posts, cached.

    A long list may be too large for the cache. A client has a limited number of them in work, as of
    other large responses; those of all others would wait for the database.
    """
    state = state_of(request)
    limit = _limit(request.query_params.get("limit"))

    async def query() -> bytes:
        if limit > LIMIT_DEFAULT:
            await take_turn(request)
        posts = await state.posts.newest(limit)
        views = {"posts": [post.view() for post in posts]}
        return json.dumps(views, ensure_ascii=False).encode()

    body, hit = await cached_list(state.redis, limit, query)
    headers = {"X-Cache": "hit" if hit else "miss", "Cache-Control": "no-store"}
    return Response(body, media_type="application/json", headers=headers)


async def get_post(request: Request) -> Response:
    """GET /api/posts/{id}."""
    post = await _fetch_post(request)
    return JSONResponse(post.view(), headers={"Cache-Control": "no-store"})


async def delete_post(request: Request) -> Response:
    """DELETE /api/posts/{id}: by its sender, who has the key of the request that made it.

    There are no accounts: the key is the only thing that nobody else knows. A post that does not
    exist any more gets the same response, so that the request can be repeated.
    """
    state = state_of(request)
    post_id = _post_id(request)
    key = read_value(request)
    if key is None:
        raise not_sender()
    try:
        existed = await state.posts.delete(post_id, key)
    except NotSenderError:
        raise not_sender() from None
    except KeyInUseError:
        raise in_use() from None
    if existed:
        await announce_deletion(state.redis, post_id)
    return Response(status_code=204)


async def get_picture(request: Request) -> Response:
    """GET /api/posts/{id}/picture: only if approved."""
    post = await _fetch_post(request)
    if post.picture_type is None:
        raise ApiError(404, "no-picture", "This post has no picture.")
    if post.state != PostState.APPROVED:
        raise ApiError(403, "picture-not-approved", f"The picture is {post.state}.")
    await take_turn(request)
    picture = await state_of(request).posts.picture(post.id)
    if picture is None:
        raise ApiError(404, "no-picture", "This post has no picture.")
    headers = {
        # Uploads must not be interpreted as anything but pictures, and never change.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "public, max-age=3600, immutable",
    }
    return Response(picture.data, media_type=picture.media_type, headers=headers)


async def live_posts(request: Request) -> Response:
    """GET /api/posts/events: server-sent events, ``post`` with the post or ``resync``."""
    feed = state_of(request).feed
    if feed.is_full:
        message = "Too many pages are open. Try again later."
        raise ApiError(503, "too-many-streams", message, RETRY_AFTER)
    events = _events(feed)
    return EventSourceResponse(events, ping=PING_S, headers={"Cache-Control": "no-store"})


async def _events(feed: Feed) -> AsyncIterator[ServerSentEvent]:
    with feed.listen() as queue:
        yield ServerSentEvent(event="hello", data="{}", retry=1000)
        while True:
            event = await queue.get()
            yield ServerSentEvent(event=event.name, data=event.data)


def _post_id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        raise ApiError(404, "no-post", "Post not found.") from None


async def _fetch_post(request: Request) -> Post:
    post = await state_of(request).posts.get(_post_id(request))
    if post is None:
        raise ApiError(404, "no-post", "Post not found.")
    return post


def _limit(value: str | None) -> int:
    if value is None:
        return LIMIT_DEFAULT
    is_number = value.isascii() and value.isdigit() and len(value) <= LIMIT_DIGITS
    if not is_number or not 1 <= int(value) <= LIMIT_MAX:
        raise ApiError(422, "limit", f"limit must be a number from 1 to {LIMIT_MAX}.")
    return int(value)


def _dry_run(value: str | None) -> bool:
    if value not in (None, "true", "false"):
        raise ApiError(422, "dry-run", "dry_run must be true or false.")
    return value == "true"
