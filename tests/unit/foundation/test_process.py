"""The one funnel for other programs, tried on real ones."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from vrooli import process
from vrooli.errors import CommandError, PrerequisiteError


def _sh(script: str, **settings: object) -> process.Completed:
    return asyncio.run(process.run(["sh", "-c", script], **settings))  # type: ignore[arg-type]


def test_output_and_log_are_kept_apart() -> None:
    done = _sh("echo said; echo logged >&2")
    assert (done.output, done.log, done.status) == ("said\n", "logged\n", 0)


def test_a_failure_carries_the_words_the_status_and_the_end_of_the_output() -> None:
    with pytest.raises(CommandError) as failed:
        _sh("seq 30; echo broken >&2; exit 7")
    assert failed.value.status == 7
    assert failed.value.argv[0] == "sh"
    assert "ended with status 7" in failed.value.message
    assert failed.value.message.endswith("broken")
    assert "\n5\n" not in failed.value.message  # the end of it, not all of it


def test_a_failure_can_be_looked_at_instead() -> None:
    assert _sh("exit 3", check=False).status == 3


def test_secrets_go_by_standard_input() -> None:
    assert _sh("cat", stdin="hush").output == "hush"


def test_a_program_that_fails_before_it_has_read_all_is_told_by_its_own_status() -> None:
    with pytest.raises(CommandError, match="no such option") as failed:
        _sh("exec <&-; echo no such option >&2; exit 4", stdin="x" * 1024 * 1024)
    assert failed.value.status == 4


def test_without_standard_input_a_program_reads_nothing() -> None:
    assert _sh("cat").output == ""


def test_lines_of_the_log_are_told_as_they_come() -> None:
    lines: list[str] = []
    _sh("echo one >&2; echo two >&2", on_line=lines.append)
    assert lines == ["one", "two"]


def test_the_environment_is_added_to_ours() -> None:
    done = _sh('echo "$VROOLI_TRIAL $PATH"', env={"VROOLI_TRIAL": "yes"})
    assert done.output == f"yes {os.environ['PATH']}\n"


def test_a_program_that_is_not_there_is_a_lack_of_the_host() -> None:
    with pytest.raises(PrerequisiteError, match="no-such-program"):
        asyncio.run(process.run(["no-such-program"]))


def _is_alive(pid: int) -> bool:
    """Whether it still runs, after the moment that the kernel takes to end what it has killed."""
    for _ in range(1000):
        try:
            if "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
                return False
        except (FileNotFoundError, ProcessLookupError):
            return False
        time.sleep(0.01)
    return True


def test_at_its_limit_a_program_ends_with_all_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    began = time.monotonic()
    with pytest.raises(CommandError, match="did not end in time"):
        _sh(f"sleep 600 & echo $! $$ > {pids}; wait", timeout_s=1.5)
    assert time.monotonic() - began < 60
    assert not [pid for pid in pids.read_text().split() if _is_alive(int(pid))]


def test_a_cancelled_program_ends_with_all_it_started() -> None:
    pids: list[int] = []

    async def cancel_it() -> None:
        told = asyncio.Event()

        def listen(line: str) -> None:
            pids.extend(map(int, line.split()))
            told.set()

        script = "sleep 60 & echo $! $$ >&2; wait"
        task = asyncio.create_task(process.run(["sh", "-c", script], on_line=listen))
        async with asyncio.timeout(60):
            await told.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_it())
    assert len(pids) == 2
    assert not [pid for pid in pids if _is_alive(pid)]


def test_a_program_that_speaks_for_itself_prints_where_we_print(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert asyncio.run(process.run_attached([sys.executable, "-c", "print('hello')"])) == 0
    assert capfd.readouterr().out == "hello\n"


def test_a_program_that_speaks_for_itself_gives_its_status() -> None:
    assert asyncio.run(process.run_attached(["sh", "-c", "exit 5"])) == 5


def test_a_program_that_speaks_for_itself_cleans_up_when_the_run_is_cancelled(
    tmp_path: Path,
) -> None:
    script = (
        "import pathlib, sys, time\n"
        "place = pathlib.Path(sys.argv[1])\n"
        "try:\n    (place / 'began').touch(); time.sleep(60)\n"
        "except KeyboardInterrupt:\n    time.sleep(0.2); (place / 'tidy').touch()"
    )

    async def cancel_it() -> None:
        task = asyncio.create_task(process.run_attached([sys.executable, "-c", script, tmp_path]))
        async with asyncio.timeout(60):
            while not (tmp_path / "began").exists():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_it())
    assert (tmp_path / "tidy").exists()


def test_a_program_that_speaks_for_itself_ends_at_its_limit() -> None:
    with pytest.raises(CommandError, match="did not end in time"):
        asyncio.run(process.run_attached(["sleep", "60"], timeout_s=0.2))


def test_a_child_that_outlives_its_program_is_ended_with_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "GRACE_S", 1.0)
    pids: list[int] = []

    async def cancel_it() -> None:
        told = asyncio.Event()

        def listen(line: str) -> None:
            pids.append(int(line))
            told.set()

        script = "trap 'exit 0' TERM; (trap '' TERM; exec sleep 60) & echo $! >&2; wait"
        task = asyncio.create_task(process.run(["sh", "-c", script], on_line=listen))
        async with asyncio.timeout(60):
            await told.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_it())
    assert len(pids) == 1
    assert not _is_alive(pids[0])
