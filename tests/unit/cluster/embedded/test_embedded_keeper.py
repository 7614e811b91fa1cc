"""The keeper of a supervisor, with real processes that real signals end."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

# Each child says its id, and "alone" when its keeper is gone; a SIGTERM ends it in order, a
# SIGUSR1 lets it fail.
PROGRAM = """
import os, signal, sys
from vrooli.cluster.embedded import keeper as module
from vrooli.cluster.embedded.keeper import Keeper

module.QUICK_S = float(sys.argv[2])

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def work(keeper):
    signal.signal(signal.SIGTERM, lambda *_: (say("ended"), os._exit(0)))
    signal.signal(signal.SIGUSR1, lambda *_: os._exit(3))
    say("child", os.getpid())
    os.read(keeper, 1)
    say("alone")
    signal.pause()
    return 0

sys.exit(Keeper(work, lambda: say("cleared"), lambda lived_s: float(sys.argv[1])).run())
"""
# A SIGTERM comes when the child was waited for, and its id is still known.
LATE = """
import os, signal, sys
from vrooli.cluster.embedded.keeper import Keeper

waitpid = os.waitpid

def wait(*what):
    ended = waitpid(*what)
    os.kill(os.getpid(), signal.SIGTERM)
    return ended

os.waitpid = wait
sys.exit(Keeper(lambda keeper: 0, lambda: None, lambda lived_s: 0.0).run())
"""
LIMIT_S = 20.0
FAILURES = 5


class Kept:
    """A keeper in a process of its own."""

    def __init__(self, pause_s: float = 0.0, quick_s: float = 60.0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(pause_s), str(quick_s)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        self.children: list[int] = []

    def line(self) -> str:
        """The next line that it or its child says."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], LIMIT_S)
        assert ready, "nothing was said"
        return self.process.stdout.readline().decode().strip()

    def child(self) -> int:
        """The next child that is started."""
        word, pid = self.line().split()
        assert word == "child"
        self.children.append(int(pid))
        return int(pid)


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    kept = Kept(*getattr(request, "param", ()))
    yield kept
    for pid in (kept.process.pid, *kept.children):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    kept.process.wait(LIMIT_S)
    assert kept.process.stdout is not None
    kept.process.stdout.close()


def test_a_killed_child_is_started_again_after_what_it_left_is_cleared(kept: Kept) -> None:
    first = kept.child()
    os.kill(first, signal.SIGKILL)
    assert kept.line() == "cleared"
    second = kept.child()
    assert second != first
    os.kill(second, signal.SIGSEGV)
    assert kept.line() == "cleared"
    kept.child()


def test_a_child_that_fails_is_started_again_until_it_has_failed_too_often(kept: Kept) -> None:
    for _ in range(FAILURES - 1):
        os.kill(kept.child(), signal.SIGUSR1)
        assert kept.line() == "cleared"
    os.kill(kept.child(), signal.SIGUSR1)
    assert kept.process.wait(LIMIT_S) == 3


@pytest.mark.parametrize("kept", [(0.0, 0.0)], indirect=True)
def test_a_child_that_fails_late_is_always_started_again(kept: Kept) -> None:
    for _ in range(FAILURES + 1):
        os.kill(kept.child(), signal.SIGUSR1)
        assert kept.line() == "cleared"
    kept.child()


def test_a_child_that_is_killed_is_always_started_again(kept: Kept) -> None:
    for _ in range(FAILURES + 1):
        os.kill(kept.child(), signal.SIGKILL)
        assert kept.line() == "cleared"
    kept.child()


def test_a_request_to_end_that_comes_when_the_child_has_ended_is_no_fault() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LATE], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_request_to_end_reaches_the_child_and_ends_both(kept: Kept) -> None:
    kept.child()
    kept.process.send_signal(signal.SIGTERM)
    assert kept.line() == "ended"
    assert kept.process.wait(LIMIT_S) == 0


@pytest.mark.parametrize("kept", [(600.0,)], indirect=True)
def test_a_request_to_end_between_two_children_starts_no_other(kept: Kept) -> None:
    os.kill(kept.child(), signal.SIGKILL)
    assert kept.line() == "cleared"
    began = time.monotonic()
    kept.process.send_signal(signal.SIGTERM)
    assert kept.process.wait(LIMIT_S) == 0
    assert time.monotonic() - began < LIMIT_S


def test_a_child_goes_on_when_its_keeper_is_killed_and_hears_of_it(kept: Kept) -> None:
    child = kept.child()
    kept.process.kill()
    assert kept.line() == "alone"
    os.kill(child, 0)
