"""The parent process of the supervisor, which restarts it when it fails or is killed.

A process that only waits is the least likely to be killed or to fail. If it is killed, the
supervisor continues without it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

PAUSE_S = 0.1
# Give up after this many consecutive failures, each within this time, seconds.
FAST_FAILURE_S, MAX_FAST_FAILURES = 60.0, 5


class Watchdog:
    """Runs a function in a child process, and restarts it when it fails or is killed.

    SIGTERM is forwarded to the child, which ends in order; then the watchdog ends.
    """

    def __init__(
        self,
        work: Callable[[int], int],
        clear: Callable[[], None],
        pauses: Callable[[float], float],
    ) -> None:
        """Prepare to run ``work``.

        Args:
            work: The child's function; its argument is the reading end of a pipe that closes
                when the watchdog ends, its result is the exit status.
            clear: Cleans up after a failed child, before the next one starts.
            pauses: The delay before the next child, given the lifetime of the last one; both in
                seconds.
        """
        self._work = work
        self._clear = clear
        self._pauses = pauses
        self._child = 0
        self._stopping = False

    def run(self) -> int:
        """Run it until it succeeds, is stopped, or fails too often; returns the exit status."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        failures = 0
        while True:
            began = time.monotonic()
            status = self._run_once()
            if status == 0 or self._is_stopping():
                return abs(status)
            lived_s = time.monotonic() - began
            failures = failures + 1 if status > 0 and lived_s < FAST_FAILURE_S else 0
            if failures == MAX_FAST_FAILURES:
                _log(f"The supervisor failed {failures} consecutive times; it is not restarted.")
                return status
            ending = (
                f"failed with status {status}" if status > 0 else f"was killed by signal {-status}"
            )
            _log(f"The supervisor {ending}; restarting it.")
            self._clear()
            self._wait(self._pauses(lived_s))
            if self._is_stopping():
                return 0

    def _run_once(self) -> int:
        reading, writing = os.pipe()
        # A SIGTERM between the fork and the next lines would be lost or reach the wrong process.
        signals = (signal.SIGTERM, signal.SIGINT)
        signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        self._child = os.fork()
        if not self._child:
            os.close(writing)
            for number in signals:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
            os._exit(self._work(reading))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        os.close(reading)
        try:
            _, status = os.waitpid(self._child, 0)
        finally:
            self._child = 0
            os.close(writing)
        return os.waitstatus_to_exitcode(status)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._stopping = True
        if self._child:
            with contextlib.suppress(ProcessLookupError):  # it has just been waited for
                os.kill(self._child, signal.SIGTERM)

    def _is_stopping(self) -> bool:
        """Whether SIGTERM was received, which can happen between any two statements."""
        return self._stopping

    def _wait(self, limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        while not self._is_stopping() and time.monotonic() < deadline:
            time.sleep(PAUSE_S)


def _log(line: str) -> None:
    """Write to the supervisor's log; fails silently on a full disk."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
