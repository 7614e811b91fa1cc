"""The one place that turns exceptions into errors a person can use, and so into exit codes."""

from __future__ import annotations

import errno

from vrooli.errors import EnvironmentLackError, VrooliError

# What the process's end says. The parser's own usage errors are 2 as well.
EXIT_CODES = {
    0: "fine",
    1: "found something wrong",
    2: "wrong use",
    3: "the environment lacks something",
    130: "interrupted",
}


def described() -> str:
    """The exit codes in one line."""
    return ", ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items())


def as_error(fault: BaseException) -> VrooliError:
    """The error that a person reads about, whatever was raised."""
    while isinstance(fault, BaseExceptionGroup):
        fault = _worst(fault)
    if isinstance(fault, VrooliError):
        return fault
    if isinstance(fault, OSError):
        lack = _lack(fault)
        if lack is not None:
            return lack
    return VrooliError(
        f"vrooli has a fault of its own: {type(fault).__name__}: {fault}",
        "Run it again with --debug, and report the trace.",
    )


def _worst(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one to tell of: an error raised on purpose says more than what it led to."""
    for fault in group.exceptions:
        if isinstance(fault, (VrooliError, BaseExceptionGroup)):
            return fault
    return group.exceptions[0]


def _lack(fault: OSError) -> EnvironmentLackError | None:
    where = f" ({fault.filename})" if fault.filename else ""
    if fault.errno in (errno.ENOSPC, errno.EDQUOT):
        return EnvironmentLackError(
            f"The disk is full{where}.",
            "Free some space, or set VROOLI_CACHE_DIR and VROOLI_STATE_DIR to a larger disk. "
            "Then run the same command again: it continues where it stopped.",
        )
    if isinstance(fault, PermissionError):
        return EnvironmentLackError(
            f"This user may not do that{where}: {fault.strerror}.", "Run it as root."
        )
    return None
