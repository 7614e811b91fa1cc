"""Errors that end a pass before its rotation is complete."""

from __future__ import annotations


class WaitingError(Exception):
    """A precondition is not met yet; the message names it. The next pass retries."""


class PromotionRefusedError(WaitingError):
    """Sentinel refuses to promote a replica; the master is unchanged."""


class LoginRejectedError(WaitingError):
    """PostgreSQL rejects the password."""


class RefusedError(Exception):
    """The new value is invalid and is not applied; the message contains the reason and a remedy."""
