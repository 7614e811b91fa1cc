"""The watchdog of a supervisor, with real processes and real signals."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

# Each child prints its id, and "alone" when its watchdog has exited. SIGTERM ends it in order,
# SIGUSR1 makes it fail.
PROGRAM = """
import os, signal, sys
from vrooli.cluster.embedded.supervisor import watchdog
from vrooli.cluster.embedded.supervisor.watchdog import Watchdog

watchdog.FAST_FAILURE_S = float(sys.argv[2])

def report(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def work(pipe):
    signal.signal(signal.SIGTERM, lambda *_: (report("ended"), os._exit(0)))
    signal.signal(signal.SIGUSR1, lambda *_: os._exit(3))
    report("child", os.getpid())
    os.read(pipe, 1)
    report("alone")
    signal.pause()
    return 0

sys.exit(Watchdog(work, lambda: report("cleared"), lambda lived_s: float(sys.argv[1])).run())
"""
# SIGTERM arrives after the child was reaped and before its id is reset.
LATE_SIGNAL = """
import os, signal, sys
from vrooli.cluster.embedded.supervisor.watchdog import Watchdog

waitpid = os.waitpid

def wait(*what):
    ended = waitpid(*what)
    os.kill(os.getpid(), signal.SIGTERM)
    return ended

os.waitpid = wait
sys.exit(Watchdog(lambda pipe: 0, lambda: None, lambda lived_s: 0.0).run())
"""
LIMIT_S = 120.0
FAILURES = 5


class WatchdogProcess:
    """A watchdog in its own process."""

    def __init__(self, pause_s: float = 0.0, quick_s: float = 60.0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(pause_s), str(quick_s)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        self.children: list[int] = []

    def line(self) -> str:
        """The next line that it or its child prints."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT_S)
        assert ready, "no line was printed"
        return self.process.stdout.readline().decode().strip()

    def child(self) -> int:
        """The next child that is started."""
        word, pid = self.line().split()
        assert word == "child"
        self.children.append(int(pid))
        return int(pid)


@pytest.fixture
def watchdog(request: pytest.FixtureRequest) -> Iterator[WatchdogProcess]:
    watchdog = WatchdogProcess(*getattr(request, "param", ()))
    yield watchdog
    for pid in (watchdog.process.pid, *watchdog.children):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    watchdog.process.wait(LIMIT_S)
    assert watchdog.process.stdout is not None
    watchdog.process.stdout.close()


def test_a_killed_child_is_restarted_after_the_cleanup(watchdog: WatchdogProcess) -> None:
    first = watchdog.child()
    os.kill(first, signal.SIGKILL)
    assert watchdog.line() == "cleared"
    second = watchdog.child()
    assert second != first
    os.kill(second, signal.SIGSEGV)
    assert watchdog.line() == "cleared"
    watchdog.child()


def test_a_failing_child_is_restarted_until_the_failure_limit(watchdog: WatchdogProcess) -> None:
    for _ in range(FAILURES - 1):
        os.kill(watchdog.child(), signal.SIGUSR1)
        assert watchdog.line() == "cleared"
    os.kill(watchdog.child(), signal.SIGUSR1)
    assert watchdog.process.wait(LIMIT_S) == 3


@pytest.mark.parametrize("watchdog", [(0.0, 0.0)], indirect=True)
def test_a_child_that_fails_late_is_always_restarted(watchdog: WatchdogProcess) -> None:
    for _ in range(FAILURES + 1):
        os.kill(watchdog.child(), signal.SIGUSR1)
        assert watchdog.line() == "cleared"
    watchdog.child()


def test_a_killed_child_is_always_restarted(watchdog: WatchdogProcess) -> None:
    for _ in range(FAILURES + 1):
        os.kill(watchdog.child(), signal.SIGKILL)
        assert watchdog.line() == "cleared"
    watchdog.child()


def test_a_sigterm_after_the_child_has_exited_is_not_an_error() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LATE_SIGNAL],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_sigterm_ends_the_child_and_the_watchdog(watchdog: WatchdogProcess) -> None:
    watchdog.child()
    watchdog.process.send_signal(signal.SIGTERM)
    assert watchdog.line() == "ended"
    assert watchdog.process.wait(LIMIT_S) == 0


@pytest.mark.parametrize("watchdog", [(600.0,)], indirect=True)
def test_a_sigterm_between_two_children_starts_no_other(watchdog: WatchdogProcess) -> None:
    os.kill(watchdog.child(), signal.SIGKILL)
    assert watchdog.line() == "cleared"
    began = time.monotonic()
    watchdog.process.send_signal(signal.SIGTERM)
    assert watchdog.process.wait(LIMIT_S) == 0
    assert time.monotonic() - began < LIMIT_S


def test_a_child_continues_and_is_notified_when_its_watchdog_is_killed(
    watchdog: WatchdogProcess,
) -> None:
    child = watchdog.child()
    watchdog.process.kill()
    assert watchdog.line() == "alone"
    os.kill(child, 0)
