"""The HTTP API of steelcityamir/safe-content-ai 1.1.0, as far as Vrooli uses it.

POST /v1/detect takes a picture as multipart field ``file`` and answers with ``file_name``,
``is_nsfw`` and ``confidence_percentage``.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vrooli_detector.model import Model, UnreadableImageError
from vrooli_detector.verdict import Settings

# What a multipart body holds beside the picture.
OVERHEAD_BYTES = 16 * 1024


class Detector:
    """The routes over one loaded model; pictures are analysed one at a time, others wait."""

    def __init__(self, model: Model, settings: Settings) -> None:
        self._model = model
        self._settings = settings
        self._one_at_a_time = asyncio.Lock()

    async def detect(self, request: Request) -> Response:
        """POST /v1/detect."""
        length = request.headers.get("content-length", "")
        if not length.isdigit():
            raise HTTPException(411, "The request must tell its length.")
        if int(length) > self._settings.max_bytes + OVERHEAD_BYTES:
            raise HTTPException(413, f"At most {self._settings.max_bytes} bytes are taken.")
        async with request.form(max_files=1, max_fields=4) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise HTTPException(422, "The field 'file' with a picture is missing.")
            name, data = file.filename, await file.read()
        start = time.perf_counter()
        verdict = await self._judge(data)
        spent = f"model;dur={(time.perf_counter() - start) * 1000:.0f}"
        body = {"file_name": name, **verdict}
        return JSONResponse(body, headers={"Server-Timing": spent})

    async def _judge(self, data: bytes) -> dict[str, object]:
        try:
            async with self._one_at_a_time:
                scores = await asyncio.to_thread(self._model.scores, data)
        except UnreadableImageError as error:
            raise HTTPException(422, f"{str(error).capitalize()}.") from None
        return asdict(self._settings.rule.judge(scores))

    async def describe(self, _: Request) -> Response:
        """GET /: which labels count, and from which score on; for people."""
        rule = self._settings.rule
        return JSONResponse({"labels": rule.labels, "threshold": rule.threshold})


async def _http_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError(f"{error!r} is no HTTP error")
    return JSONResponse({"detail": error.detail}, status_code=error.status_code)


def create_app(settings: Settings) -> Starlette:
    """The application, its model loaded: once the port is open, it can answer."""
    detector = Detector(Model(settings.threads), settings)
    return Starlette(
        routes=[
            Route("/", detector.describe),
            Route("/v1/detect", detector.detect, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _http_error},
    )
