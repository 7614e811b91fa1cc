"""Which process holds a release, and whether it has ended."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vrooli.release import process_identity
from vrooli.release.lease import DURATION_S, Holder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def _of_a_dead_one() -> str:
    code = "from vrooli.release import process_identity; print(process_identity.process())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_process_that_runs_is_not_dead_and_one_that_has_ended_is() -> None:
    assert not process_identity.is_dead(process_identity.process())
    assert process_identity.is_dead(_of_a_dead_one())


def test_another_process_with_the_same_number_does_not_stand_in_for_a_dead_one() -> None:
    machine = process_identity.process().partition("/")[0]
    assert process_identity.is_dead(f"{machine}/{os.getpid()}/1")


@pytest.mark.parametrize("unknown", ["", "other-machine+1/7/5", "nonsense", "a/b/c"])
def test_nothing_is_certain_of_a_process_outside(unknown: str) -> None:
    assert not process_identity.is_dead(unknown)


def test_a_holder_whose_process_has_ended_is_stale_at_once() -> None:
    now = datetime.now(UTC)
    assert Holder("me", now, now, DURATION_S, _of_a_dead_one()).is_stale(now)
    assert not Holder("me", now, now, DURATION_S, process_identity.process()).is_stale(now)


@pytest.mark.parametrize("error", [PermissionError, OSError])
def test_a_process_that_can_not_be_read_is_not_taken_for_dead(
    error: type[OSError], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = process_identity.process()

    def refuse(path: Path) -> str:
        raise error

    machine = process_identity._machine()
    monkeypatch.setattr(process_identity, "_machine", lambda: machine)
    monkeypatch.setattr(Path, "read_text", refuse)
    assert not process_identity.is_dead(other)
    assert process_identity.process() == ""


def test_a_process_of_another_user_that_proc_hides_is_not_taken_for_dead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(pid: int, signal: int) -> None:
        raise PermissionError

    other, machine = process_identity.process(), process_identity._machine()
    monkeypatch.setattr(process_identity, "_machine", lambda: machine)
    monkeypatch.setattr(process_identity, "PROC", tmp_path)
    monkeypatch.setattr(os, "kill", refuse)
    assert not process_identity.is_dead(other)


def test_a_number_that_no_process_has_is_of_a_dead_one() -> None:
    machine = process_identity.process().partition("/")[0]
    assert process_identity.is_dead(f"{machine}/{10**12}/5")
