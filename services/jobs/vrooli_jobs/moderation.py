"""The moderation job: request a verdict on a picture, store it and notify the pages."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from prometheus_client import Counter, Histogram
from saq import Job, Status

from vrooli_jobs.detector import UnreadablePictureError
from vrooli_jobs.state import State, state_in
from vrooli_shared.live import announce
from vrooli_shared.posts import State as PostState
from vrooli_shared.queue import MODERATE

log = logging.getLogger(__name__)

MODERATION = Histogram("vrooli_moderation_seconds", "Duration of one attempt in seconds")
VERDICTS = Counter("vrooli_verdicts_total", "Decided posts", ("state",))


async def moderate(context: Any, *, post_id: str) -> str:
    """Moderate one post; the queue retries after an error.

    Returns:
        The new state of the post, for the job's record.
    """
    with MODERATION.time():
        return await _moderate(context, UUID(post_id))


async def _moderate(context: Any, post_id: UUID) -> str:
    state = state_in(context)
    post = await state.posts.get(post_id)
    if post is None or post.state != PostState.PENDING:
        return "gone" if post is None else post.state
    await state.posts.attempt(post_id, context["job"].attempts)
    picture = await state.posts.picture(post_id)
    if picture is None:
        return await _decide(state, post_id, PostState.APPROVED)
    try:
        verdict = await state.detector.classify(picture)
    except UnreadablePictureError:
        return await _decide(state, post_id, PostState.FAILED, reason="The picture can't be read.")
    outcome = PostState.REFUSED if verdict.is_nsfw else PostState.APPROVED
    return await _decide(state, post_id, outcome, confidence=verdict.confidence_percentage)


async def give_up(context: Any) -> None:
    """Mark the post as failed after the job's last attempt."""
    job = context["job"]
    if not isinstance(job, Job) or job.function != MODERATE or job.status != Status.FAILED:
        return
    post_id = UUID((job.kwargs or {})["post_id"])
    log.error("post %s could not be moderated in %d attempts", post_id, job.attempts)
    reason = f"The picture could not be checked in {job.attempts} attempts."
    await _decide(state_in(context), post_id, PostState.FAILED, reason=reason)


async def _decide(
    state: State,
    post_id: UUID,
    outcome: PostState,
    *,
    confidence: float | None = None,
    reason: str | None = None,
) -> str:
    await state.posts.decide(post_id, outcome, confidence=confidence, reason=reason)
    post = await state.posts.get(post_id)
    if post is None:
        return "gone"
    # Announce also an existing verdict: the announcement of an earlier attempt may be lost.
    await announce(state.redis, post)
    VERDICTS.labels(post.state).inc()
    log.info("post %s: %s (%s %%)", post_id, post.state, post.confidence)
    return post.state
