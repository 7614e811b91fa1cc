"""The header `Idempotency-Key`: a client's own name for a request that it may have to repeat.

After the IETF's draft httpapi-idempotency-key-header: a structured header's string, in quotes;
the bare word is taken, too.
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
    """The request's key, with a digest of what it posts; None where it has none.

    Raises:
        ApiError: The header isn't one key.
    """
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    match = _KEY.fullmatch(given[0].strip()) if len(given) == 1 else None
    value = (match["quoted"] or match["bare"]) if match else ""
    if not value or len(value) > LENGTH_MAX:
        raise ApiError(
            400,
            "idempotency-key",
            f"{HEADER} is one string of 1 to {LENGTH_MAX} printable ASCII characters, in quotes.",
        )
    parts = (picture.media_type.encode(), picture.data) if picture else ()
    return Key(value, fingerprint(text.encode(), *parts))


def reused() -> ApiError:
    """The refusal of a key that was used for something else."""
    return ApiError(
        422,
        "idempotency-key-reused",
        f"This {HEADER} belongs to another post. Send a new one with a new post.",
    )


def in_use() -> ApiError:
    """The refusal of a request whose twin is still under way."""
    message = f"A request with this {HEADER} is under way. Repeat it in a moment."
    return ApiError(409, "idempotency-key-in-use", message, {"Retry-After": "1"})
