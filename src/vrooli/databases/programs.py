"""Programs with a time limit and secret input in the pods of databases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from vrooli.errors import WaitTimeoutError
from vrooli.kube import Kube
from vrooli.kube.execution import Completed, Program

# The time to connect to a pod and to start a program in it on a busy machine, seconds.
CONNECT_S = 15.0
# `timeout` of coreutils exits with this code when it has stopped the program.
TIMED_OUT = 124
# The program reads exactly its input: API servers before Kubernetes 1.30 cannot close it.
READS = 'size="$1" limit="$2"; shift 2; head -c "$size" | timeout "$limit" '


@dataclass(frozen=True)
class Place:
    """A container of a pod."""

    namespace: str
    pod: str
    container: str

    def __str__(self) -> str:
        """The pod as messages name it."""
        return f"{self.namespace}/{self.pod}"


async def run(
    kube: Kube,
    place: Place,
    script: str,
    arguments: Sequence[str],
    stdin: str,
    limit_s: float,
    *,
    before: str = "",
) -> Completed:
    """Run a shell command that reads ``stdin``, for at most ``limit_s`` seconds.

    Args:
        kube: The cluster.
        place: The container.
        script: The command after ``READS``; ``$1`` and so on are the arguments.
        arguments: Arguments without secrets.
        stdin: The input, which may hold secrets.
        limit_s: The time limit of the command, seconds.
        before: Shell commands before it.

    Raises:
        ApiError: There is no such pod, or no permission to run programs in it.
        WaitTimeoutError: It did not end in time.
        VrooliError: The connection broke off.
    """
    data = stdin.encode()
    argv = ["sh", "-c", before + READS + script, "sh", str(len(data)), f"{limit_s:g}", *arguments]
    program = Program(place.namespace, place.pod, place.container, argv, data)
    try:
        async with asyncio.timeout(limit_s + CONNECT_S):
            completed = await kube.run_program(program)
    except TimeoutError:
        raise _timeout_error(place, limit_s) from None
    if completed.exit_code == TIMED_OUT:
        raise _timeout_error(place, limit_s)
    return completed


def _timeout_error(place: Place, limit_s: float) -> WaitTimeoutError:
    return WaitTimeoutError(
        f"Pod {place} gave no result within {limit_s:g} s.",
        "Run `vrooli diagnose` to see whether the database is healthy.",
    )
