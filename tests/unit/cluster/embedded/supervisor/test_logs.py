"""Reading, following and rotating the components' logs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from vrooli.cluster.embedded.supervisor import logs

pytestmark = pytest.mark.anyio


def _log(tmp_path: Path, count: int) -> Path:
    log = tmp_path / "kubelet.log"
    log.write_text("".join(f"line {number}\n" for number in range(count)))
    return log


def test_the_tail_is_the_last_lines_in_order(tmp_path: Path) -> None:
    assert logs.tail(_log(tmp_path, 5000), 2) == ["line 4998", "line 4999"]


def test_the_tail_of_a_short_log_is_all_of_it(tmp_path: Path) -> None:
    assert logs.tail(_log(tmp_path, 2), 10) == ["line 0", "line 1"]


def test_the_tail_of_very_long_lines_is_complete(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("x" * 100_000 + "\n" + "y" * 100_000 + "\n")
    assert [len(line) for line in logs.tail(log, 2)] == [100_000, 100_000]


def test_no_log_and_no_lines_are_no_error(tmp_path: Path) -> None:
    assert logs.tail(tmp_path / "none.log", 5) == []
    assert logs.tail(_log(tmp_path, 3), 0) == []
    assert logs.last_line(tmp_path / "none.log") == ""


def test_a_long_log_is_set_aside_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = _log(tmp_path, 10)
    with log.open("a") as writer:
        assert logs.rotate(log, limit=10)
        writer.write("after\n")
        writer.flush()
        assert log.read_text() == "after\n"
    assert logs.tail(log, 2) == ["line 9", "after"]


def test_a_short_log_is_left_alone(tmp_path: Path) -> None:
    assert not logs.rotate(_log(tmp_path, 1), limit=100)
    assert not logs.rotate(tmp_path / "none.log", limit=0)


async def test_following_gives_whole_lines_and_survives_a_rotation(tmp_path: Path) -> None:
    log = _log(tmp_path, 3)
    follower = logs.follow(log)
    first = asyncio.ensure_future(anext(follower))
    await asyncio.sleep(0.05)
    with log.open("a") as writer:
        writer.write("half ")
        writer.flush()
        await asyncio.sleep(0.3)
        writer.write("whole\n")
        writer.flush()
        assert await asyncio.wait_for(first, 60) == "half whole"
        logs.rotate(log, limit=1)
        writer.write("new\n")
    assert await asyncio.wait_for(anext(follower), 60) == "new"
    await follower.aclose()  # type: ignore[attr-defined]
