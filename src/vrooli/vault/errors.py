"""Errors of requests to Vault."""

from __future__ import annotations

from vrooli.errors import PrerequisiteError, VrooliError


class VaultDeniedError(VrooliError):
    """Permission denied: the token's policies do not allow it, or the login is not accepted."""


class VaultSealedError(PrerequisiteError):
    """Vault is running, but sealed."""


class VaultConflictError(VrooliError):
    """A secret has another version than the one that was read."""
