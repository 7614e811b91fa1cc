"""The NSFW detector's client: one picture in, one verdict out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel

from vrooli_shared.posts import Picture

# One analysis takes about 0.1 s of one core; a busy detector lets others wait. Seconds.
ANALYSIS_S = 20.0
CONNECT_S = 3.0


class Verdict(BaseModel):
    """The detector's answer; the confidence is the verdict's own, whichever it is, in percent."""

    is_nsfw: bool
    confidence_percentage: float


class UnreadablePictureError(Exception):
    """The detector can't read the picture, and won't the next time either."""


@dataclass(frozen=True)
class Detector:
    """The detector at ``url``; ``client`` keeps its connections open."""

    url: str
    client: httpx.AsyncClient

    async def judge(self, picture: Picture) -> Verdict:
        """Ask for a verdict.

        Raises:
            UnreadablePictureError: It is no picture that the detector can read.
            httpx.HTTPError: The detector didn't answer, or not with a verdict.
        """
        name = "picture." + picture.media_type.rpartition("/")[2]
        answer = await self.client.post(
            f"{self.url.rstrip('/')}/v1/detect",
            files={"file": (name, picture.data, picture.media_type)},
            timeout=httpx.Timeout(ANALYSIS_S, connect=CONNECT_S),
        )
        if answer.is_client_error and answer.status_code not in (408, 429):
            raise UnreadablePictureError(f"the detector answered {answer.status_code}")
        answer.raise_for_status()
        return Verdict.model_validate_json(answer.content)

    async def reach(self) -> None:
        """Connect once, as its probe does: the API has no health endpoint to rely on."""
        parts = urlsplit(self.url)
        _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        writer.close()
        await writer.wait_closed()
