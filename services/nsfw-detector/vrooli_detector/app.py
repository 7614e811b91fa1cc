"""The subset of the HTTP API of steelcityamir/safe-content-ai 1.1.0 that Vrooli uses.

POST /v1/detect accepts a picture as multipart field ``file`` and returns ``file_name``,
``is_nsfw`` and ``confidence_percentage``.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from python_multipart.multipart import parse_options_header
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vrooli_detector.model import Model
from vrooli_detector.pictures import UnreadableImageError
from vrooli_detector.verdict import Settings

# Maximum size of a multipart body without the picture.
OVERHEAD_BYTES = 16 * 1024
# The parser takes half a second for 64 kB of semicolons. A boundary has at most 70 characters (RFC
# 2046).
MAX_CONTENT_TYPE = 256


class Detector:
    """The routes of one loaded model, which analyses one picture at a time."""

    def __init__(self, model: Model, settings: Settings) -> None:
        self._model = model
        self._settings = settings
        # One thread, since glibc keeps freed memory for each thread.
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._turn = asyncio.Lock()

    async def detect(self, request: Request) -> Response:
        """POST /v1/detect."""
        length = request.headers.get("content-length", "")
        if not length.isdigit():
            raise HTTPException(411, "The Content-Length header is required.")
        if int(length) > self._settings.max_bytes + OVERHEAD_BYTES:
            raise HTTPException(413, f"The limit is {self._settings.max_bytes} bytes.")
        content_type = request.headers.get("content-type", "")
        if len(content_type) > MAX_CONTENT_TYPE:
            raise HTTPException(415, "The Content-Type header is too long.")
        charset = parse_options_header(content_type)[1].get(b"charset", b"utf-8")
        if charset.lower() != b"utf-8":
            # Starlette would decode with any codec of Python, some of which take minutes.
            raise HTTPException(415, "The form must be in UTF-8.")
        async with request.form(max_files=1, max_fields=4) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise HTTPException(422, "The field 'file' must contain a picture.")
            async with self._turn:
                if await request.is_disconnected():
                    raise HTTPException(499, "The client is gone.")  # no one waits for a verdict
                start = time.perf_counter()
                verdict = await self._classify(file)
        spent = f"model;dur={(time.perf_counter() - start) * 1000:.0f}"
        body = {"file_name": file.filename, **verdict}
        return JSONResponse(body, headers={"Server-Timing": spent})

    async def _classify(self, file: UploadFile) -> dict[str, object]:
        def scores() -> dict[str, float]:
            return self._model.scores(file.file.read())  # pictures that wait are in files

        loop = asyncio.get_running_loop()
        try:
            best = await loop.run_in_executor(self._thread, scores)
        except UnreadableImageError as error:
            raise HTTPException(422, f"{str(error).capitalize()}.") from None
        return asdict(self._settings.rule.classify(best))

    async def describe(self, _: Request) -> Response:
        """GET /: the labels and the threshold."""
        rule = self._settings.rule
        return JSONResponse({"labels": rule.labels, "threshold": rule.threshold})


async def _http_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError(f"{error!r} is not an HTTP error")
    return JSONResponse({"detail": error.detail}, status_code=error.status_code)


def create_app(settings: Settings) -> Starlette:
    """Create the application and load its model, so that it is ready when the port opens."""
    detector = Detector(Model(settings.threads), settings)
    return Starlette(
        routes=[
            Route("/", detector.describe),
            Route("/v1/detect", detector.detect, methods=["POST"]),
        ],
        exception_handlers={HTTPException: _http_error},
    )
