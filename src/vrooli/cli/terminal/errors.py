"""Converts exceptions to errors with a message, advice and an exit code."""

from __future__ import annotations

import errno

from vrooli.errors import PrerequisiteError, VrooliError

# Usage errors of the argument parser also exit with 2.
EXIT_CODES = {
    0: "success",
    1: "failure or problems found",
    2: "usage error",
    3: "missing requirement or insufficient access",
    130: "interrupted",
}


def described() -> str:
    """Format the exit codes as one line."""
    return ", ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items())


def as_error(fault: BaseException) -> VrooliError:
    """Return the error to report for an exception."""
    while isinstance(fault, BaseExceptionGroup):
        fault = _worst(fault)
    if isinstance(fault, VrooliError):
        return fault
    if isinstance(fault, OSError):
        prerequisite = _prerequisite(fault)
        if prerequisite is not None:
            return prerequisite
    return VrooliError(
        f"Internal error: {type(fault).__name__}: {fault}",
        "Run the command again with --debug and report the traceback.",
    )


def _worst(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the exception to report: one raised on purpose is more specific than its effects."""
    for fault in group.exceptions:
        if isinstance(fault, (VrooliError, BaseExceptionGroup)):
            return fault
    return group.exceptions[0]


def _prerequisite(fault: OSError) -> PrerequisiteError | None:
    where = f" ({fault.filename})" if fault.filename else ""
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return PrerequisiteError(
            f"The disk is full{where}.",
            "Free some space, or set VROOLI_CACHE_DIR and VROOLI_STATE_DIR to a larger disk. "
            "Then run the command again; it continues where it stopped.",
        )
    if isinstance(fault, PermissionError):
        return PrerequisiteError(
            f"Operation failed{where}: {fault.strerror}.", "Run the command as root."
        )
    return None
