"""What is remembered of builds, and how long the next ones will take."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vrooli.events import Event, Progress, StepProgressed
from vrooli.images import records
from vrooli.images.builds.estimate import TimeEstimate
from vrooli.images.catalog import find_image
from vrooli.images.records import Record


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))
    return tmp_path


def test_a_record_is_read_as_it_was_written() -> None:
    record = Record(inputs="hash", id="id", seconds=1.5)
    records.write("localhost/vrooli/x:1", record)
    assert records.read("localhost/vrooli/x:1") == record


@pytest.mark.parametrize("content", ["", "{", "[]", '{"unknown": 1}'])
def test_a_record_that_makes_no_sense_is_none(content: str, cache: Path) -> None:
    records.write("x", Record("hash", "id", 1.0))
    (path,) = (cache / "images" / "built").iterdir()
    path.write_text(content)
    assert records.read("x") is None


def test_a_program_s_digest_follows_its_content(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"one")
    first = records.program_digest(program)
    program.write_bytes(b"another")
    assert records.program_digest(program) != first


def test_a_program_that_was_only_touched_keeps_its_digest(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"one")
    first = records.program_digest(program)
    os.utime(program, (1, 1))
    assert records.program_digest(program) == first


def test_a_build_is_expected_to_take_as_long_as_last_time() -> None:
    redis = find_image("redis")
    records.save_duration("redis", 77.0)
    forecast = TimeEstimate(Progress())
    forecast.expect(redis)
    assert forecast.remaining() == 77.0


def test_what_was_never_built_is_expected_to_take_what_the_catalog_says() -> None:
    forecast = TimeEstimate(Progress())
    forecast.expect(find_image("redis"))
    assert forecast.remaining() == find_image("redis").build_s


def test_many_builds_take_all_their_time_over_the_cores() -> None:
    forecast = TimeEstimate(Progress())
    many = [find_image(name) for name in ("redis", "adminer", "openbao", "server", "ui")]
    for one in many:
        forecast.expect(one)
    total = sum(one.build_s for one in many)
    assert forecast.remaining() == max(60.0, total / (os.cpu_count() or 1))


def test_an_overdue_build_never_claims_to_be_about_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    forecast = TimeEstimate(Progress())
    forecast.expect(find_image("redis"))
    forecast.record_output(find_image("redis"), "began")
    now[0] = 100.0
    assert forecast.remaining() == 25.0


def test_a_machine_that_was_slow_so_far_is_expected_to_stay_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    forecast = TimeEstimate(Progress())
    forecast.expect(find_image("redis"))
    forecast.expect(find_image("ui"))
    forecast.record_output(find_image("redis"), "began")
    now[0] = 3 * find_image("redis").build_s
    forecast.done(find_image("redis"))
    assert forecast.remaining() == 3 * find_image("ui").build_s


def test_what_is_said_carries_the_image_and_the_time_that_is_left() -> None:
    heard: list[Event] = []
    forecast = TimeEstimate(Progress("images", heard.append))
    forecast.expect(find_image("redis"))
    forecast.record_output(find_image("redis"), "STEP 1/5")
    (event,) = heard
    assert isinstance(event, StepProgressed)
    assert event.detail == "redis: STEP 1/5"
    assert event.remaining_s == pytest.approx(find_image("redis").build_s, abs=0.5)


def test_many_threads_may_ask_for_the_same_digest_at_once(tmp_path: Path) -> None:
    program = tmp_path / "program"
    with ThreadPoolExecutor(8) as threads:
        for content in map(bytes, range(1, 30)):
            program.write_bytes(content)
            asked = [threads.submit(records.program_digest, program) for _ in range(8)]
            assert len({task.result() for task in asked}) == 1
