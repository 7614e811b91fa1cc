"""What ends a pass before its rotation is complete."""

from __future__ import annotations


class WaitingError(Exception):
    """Something must happen first; the message says what. The next pass looks again."""


class PromotionRefusedError(WaitingError):
    """Sentinel promotes no replica now, so the master stays one."""


class LoginRejectedError(WaitingError):
    """PostgreSQL answers, and does not take the password."""


class RefusedError(Exception):
    """The new value can't be used; the message says why and what to do. The old one stays."""
