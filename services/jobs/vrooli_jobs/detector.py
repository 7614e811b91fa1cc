"""Client of the NSFW detector."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel

from vrooli_shared.posts import Picture

# Timeout of a request, seconds. An analysis takes about 0.1 s of one core, but requests are queued.
ANALYSIS_TIMEOUT_S = 20.0
CONNECT_TIMEOUT_S = 3.0


class Verdict(BaseModel):
    """The detector's response; the confidence refers to the verdict, in percent."""

    is_nsfw: bool
    confidence_percentage: float


class UnreadablePictureError(Exception):
    """The detector can't read the picture; a retry is useless."""


@dataclass(frozen=True)
class Detector:
    """The detector at ``url``; ``client`` reuses its connections."""

    url: str
    client: httpx.AsyncClient

    async def classify(self, picture: Picture) -> Verdict:
        """Request a verdict.

        Raises:
            UnreadablePictureError: The detector can't read the picture.
            httpx.HTTPError: The request failed, or the response is not a verdict.
        """
        name = "picture." + picture.media_type.rpartition("/")[2]
        response = await self.client.post(
            f"{self.url.rstrip('/')}/v1/detect",
            files={"file": (name, picture.data, picture.media_type)},
            timeout=httpx.Timeout(ANALYSIS_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        )
        if response.is_client_error and response.status_code not in (408, 429):
            raise UnreadablePictureError(f"the detector returned status {response.status_code}")
        response.raise_for_status()
        return Verdict.model_validate_json(response.content)

    async def check_connection(self) -> None:
        """Open a TCP connection, like the detector's probe: the API has no health endpoint."""
        parts = urlsplit(self.url)
        _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        writer.close()
        await writer.wait_closed()
