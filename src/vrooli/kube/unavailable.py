"""What could not be read of a cluster, and why. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import httpx

from vrooli.errors import VrooliError
from vrooli.kube.api_errors import ApiError
from vrooli.kube.budget import RequestTimeoutError


class Cause(StrEnum):
    """Why something could not be read."""

    FORBIDDEN = "forbidden"
    NOT_FOUND = "not found"
    TIMEOUT = "timeout"
    ERROR = "error"


@dataclass(frozen=True)
class Unavailable:
    """A resource that could not be read.

    Attributes:
        resource: The resource, in words.
        reason: Why it could not be read, in words.
        advice: How to make it readable; may be empty.
        cause: Why it could not be read.
        place: A key for it: its kind and namespace, or another source; may be empty.
    """

    resource: str
    reason: str
    advice: str = ""
    cause: Cause = Cause.ERROR
    place: tuple[str, str] = ("", "")

    @classmethod
    def of(cls, resource: str, error: VrooliError, place: tuple[str, str] = ("", "")) -> Self:
        """What an error kept from being read."""
        return cls(resource, error.message, error.advice, cause_of(error), place)

    def __str__(self) -> str:
        return f"not seen: {self.resource}: {self.reason}"


def cause_of(error: Exception) -> Cause:
    """The cause that an error stands for."""
    if isinstance(error, ApiError):
        if error.is_forbidden:
            return Cause.FORBIDDEN
        return Cause.NOT_FOUND if error.status == httpx.codes.NOT_FOUND else Cause.ERROR
    return Cause.TIMEOUT if isinstance(error, (TimeoutError, RequestTimeoutError)) else Cause.ERROR
