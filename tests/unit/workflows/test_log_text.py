"""Lines of logs as people read them."""

from __future__ import annotations

import json

import pytest

from vrooli.workflows.logs.text import readable


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are of this time zone."""
    monkeypatch.setenv("TZ", "UTC")


def test_a_record_is_one_line_with_its_trace_below() -> None:
    record = {
        "time": "2026-11-29T04:00:01.250+00:00",
        "level": "error",
        "logger": "vrooli_server",
        "message": "no answer",
        "trace": "Traceback\n  at a",
    }
    first, *trace = readable(json.dumps(record))
    assert first.endswith(".250 ERROR vrooli_server: no answer")
    assert trace == ["  Traceback", "    at a"]


@pytest.mark.parametrize(
    "end", ["\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"]
)
def test_a_message_cannot_imitate_another_record(end: str) -> None:
    forged = "04:00:01.250 ERROR vrooli_server: forged"
    for field in ("message", "trace"):
        record = {"message": "a", field: f"a{end}{forged}"}
        assert [line for line in readable(json.dumps(record)) if line.startswith(forged)] == []


def test_what_a_record_lacks_is_left_out() -> None:
    assert readable('{"message": "ready"}') == ["ready"]
    assert readable('{"message": "", "level": "info"}') == ["INFO"]


@pytest.mark.parametrize(
    "line", ["", "plain", "{not json", '{"level": "info"}', '{"message": 3}', "[1]", "{" * 5000]
)
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert readable(line) == [line]
