"""The scripts that faults run in pods, on processes and files of this machine.

The names of the processes are replaced: a test must not signal a PostgreSQL of this machine.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vrooli.drills.faults import postgres

NAME = "drill-stand-in"
LIMIT_S = 120.0


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process in the place of PostgreSQL."""
    program = tmp_path / NAME
    shutil.copy("/bin/sleep", program)
    process = subprocess.Popen([program, "60"])
    yield process
    process.kill()
    process.wait()


def _run(script: str, *arguments: str) -> None:
    replaced = script.replace("postgres|patroni", f"{NAME}|none")
    subprocess.run(["sh", "-c", replaced, "sh", *arguments], check=True, timeout=LIMIT_S)


def _eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + LIMIT_S
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def _state(process: subprocess.Popen[bytes]) -> str:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_frozen_processes_are_thawed_on_request(stand_in: subprocess.Popen[bytes]) -> None:
    _run(postgres._FREEZE, "15")
    assert _eventually(lambda: _state(stand_in) == "T")
    _run(postgres._THAW)
    assert _eventually(lambda: _state(stand_in) == "S")


def test_frozen_processes_are_thawed_by_the_pod_itself(
    stand_in: subprocess.Popen[bytes],
) -> None:
    _run(postgres._FREEZE, "1")
    assert _eventually(lambda: _state(stand_in) == "S")


def test_processes_are_killed_after_the_script_has_ended(
    stand_in: subprocess.Popen[bytes],
) -> None:
    _run(postgres._KILL)
    assert stand_in.wait(LIMIT_S) == -9


def test_a_filler_has_its_size_and_is_removed_by_the_pod_itself(tmp_path: Path) -> None:
    filler = tmp_path / "filler"
    _run(postgres._FILL, str(filler), "1048577", "1")
    assert filler.stat().st_size == 1048577
    assert _eventually(lambda: not filler.exists())
    _run(postgres._REMOVE, str(filler))
