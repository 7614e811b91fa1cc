"""Errors of the API server, and reading them from its responses. No I/O here."""

from __future__ import annotations

import re
from typing import Any

import httpx

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube import forbidden
from vrooli.kube.objects import MALFORMED_ERRORS

# Characters that are quoted of a response that is not the API server's, such as a proxy's page.
_QUOTED = 200
_TAGS = re.compile(r"(?s)<(style|script)\b.*?(?:</\1>|\Z)|<[^<>]*>")


class ApiError(VrooliError):
    """The API server refused a request.

    Attributes:
        status: Its HTTP status.
        is_forbidden: Whether a permission was missing.
        retry_after_s: The delay that the server asks for, seconds; None if it names none.
        continue_: The token with which an expired list continues (status 410); may be empty.
    """

    def __init__(
        self,
        action: str,
        status: int,
        message: str,
        *,
        retry_after_s: float | None = None,
        continue_: str = "",
    ) -> None:
        is_forbidden = status == httpx.codes.FORBIDDEN
        advice = forbidden.advice(message) if is_forbidden else ""
        super().__init__(f"The API server refused to {action}: {message}", advice)
        self.status = status
        self.is_forbidden = is_forbidden
        if is_forbidden:
            self.exit_code = PrerequisiteError.exit_code
        self.retry_after_s = retry_after_s
        self.continue_ = continue_


class NoAnswerError(PrerequisiteError):
    """A request got no response: no server, a timeout, or a broken connection."""

    is_outage = True


class ConnectionLostError(VrooliError):
    """The connection to a program in a pod broke off.

    Attributes:
        is_started: Whether the program may have been started.
    """

    is_outage = True

    def __init__(self, message: str, *, is_started: bool) -> None:
        super().__init__(message)
        self.is_started = is_started


def parse_response(action: str, response: httpx.Response) -> dict[str, Any]:
    """The object in a response.

    Raises:
        PrerequisiteError: It is no JSON object: something else answers in the server's place.
    """
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    excerpt = _excerpt(response.text) or "nothing"
    raise PrerequisiteError(
        f"The response can't be read that came when the API server was asked to {action}: "
        f"{excerpt}",
        "Check whether a proxy or another program responds in its place.",
    )


def build_error(action: str, response: httpx.Response) -> ApiError:
    """The error of a response that reports no success."""
    wait = response.headers.get("retry-after", "")
    return ApiError(
        action,
        response.status_code,
        error_message(response),
        retry_after_s=float(wait) if wait.isdecimal() else None,
        continue_=_continuation(response),
    )


def _continuation(response: httpx.Response) -> str:
    try:
        return str(response.json()["metadata"].get("continue") or "")
    except MALFORMED_ERRORS:
        return ""


def error_message(response: httpx.Response) -> str:
    """Why the API server refused something."""
    try:
        return str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        excerpt = _excerpt(response.text)
        return f"{response.status_code} {response.reason_phrase} {excerpt}".strip()


def _excerpt(text: str) -> str:
    """The begin of a text that any program may have written, without HTML tags."""
    return " ".join(_TAGS.sub(" ", text).split())[:_QUOTED]
