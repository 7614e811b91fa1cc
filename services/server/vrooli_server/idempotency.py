"""The header `Idempotency-Key`, by which a client can repeat a request safely.

Follows the IETF draft httpapi-idempotency-key-header: a quoted string. An unquoted key is accepted
too.
"""

from __future__ import annotations

import re

from starlette.requests import Request

from vrooli_shared.idempotency import Key, fingerprint
from vrooli_shared.posts import Picture
from vrooli_shared.web import ApiError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LENGTH_MAX = 255
# Printable ASCII, without the quotes around it.
_KEY = re.compile(r'"(?P<quoted>[ !#-\[\]-~]+)"|(?P<bare>[!#-\[\]-~]+)')


def read_key(request: Request, text: str, picture: Picture | None) -> Key | None:
    """The request's key with a digest of its content, or None.

    Raises:
        ApiError: The header is not a single valid key.
    """
    value = read_value(request)
    if value is None:
        return None
    parts = (picture.media_type.encode(), picture.data) if picture else ()
    return Key(value, fingerprint(text.encode(), *parts))


def read_value(request: Request) -> str | None:
    """The request's key, or None.

    Raises:
        ApiError: The header is not a single valid key.
    """
    headers = request.headers.getlist(HEADER)
    if not headers:
        return None
    match = _KEY.fullmatch(headers[0].strip()) if len(headers) == 1 else None
    value = (match["quoted"] or match["bare"]) if match else ""
    if not value or len(value) > LENGTH_MAX:
        raise ApiError(
            400,
            "idempotency-key",
            f"{HEADER} must be a quoted string of 1 to {LENGTH_MAX} printable ASCII characters.",
        )
    return value


def reused() -> ApiError:
    """The error for a key that was used for a different request."""
    return ApiError(
        422,
        "idempotency-key-reused",
        f"This {HEADER} was used for another post. Use a new key for a new post.",
    )


def not_sender() -> ApiError:
    """The error for a deletion without the key that made the post."""
    message = f"Only its sender can delete a post, for 24 hours, with its {HEADER}."
    return ApiError(403, "not-sender", message)


def in_use() -> ApiError:
    """The error for a request whose key is in use."""
    message = f"A request with this {HEADER} is in progress. Retry in a moment."
    return ApiError(409, "idempotency-key-in-use", message, {"Retry-After": "1"})
