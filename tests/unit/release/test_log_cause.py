"""Which line of a log tells why a program ended."""

from __future__ import annotations

import pytest

from vrooli.release.rollout.log_cause import find_cause_line

FATAL = """Fatal Python error: init_fs_encoding: failed to get the Python codec
Python runtime state: core initialized
ModuleNotFoundError: No module named 'encodings'

Current thread 0x00007f (most recent call first):
  <no Python frame>"""
FAULT = """starting
Fatal Python error: Segmentation fault

Current thread 0x00007f (most recent call first):
  File "/app/main.py", line 3 in work
  File "/app/main.py", line 9 in <module>

Extension modules: _cffi (total: 1)"""
TRACEBACK = """starting
Traceback (most recent call last):
  File "/app/main.py", line 3, in <module>
    connect(settings["url"])
            ~~~~~~~~^^^^^^^
KeyError: 'url'"""
HANDLED = f"""{TRACEBACK}
retrying without it
2026-01-01T12:00:00Z server FATAL: no database at db:5432
"""
LEVELS = f"""{TRACEBACK}
[CRITICAL] giving up: port 80 is taken
shutting down"""
TWO_LINES = """  File "/app/db.py", line 9, in open
    raise error
sqlalchemy.exc.OperationalError: connection refused
(Background on this error at: https://example.com/e3q8)"""


@pytest.mark.parametrize(
    ("log", "line"),
    [
        (FATAL, "ModuleNotFoundError: No module named 'encodings'"),
        (FAULT, "Fatal Python error: Segmentation fault"),
        (TRACEBACK, "KeyError: 'url'"),
        (HANDLED, "2026-01-01T12:00:00Z server FATAL: no database at db:5432"),
        (LEVELS, "[CRITICAL] giving up: port 80 is taken"),
        (f"{TRACEBACK}\nFatal: can't go on", "Fatal: can't go on"),
        (f"{TRACEBACK}\nthis was not fatal: see the manual", "KeyError: 'url'"),
        (TWO_LINES, "sqlalchemy.exc.OperationalError: connection refused"),
        ("ready\nno config file /etc/x: giving up\n", "no config file /etc/x: giving up"),
        ('  File "/a.py", line 1, in <module>\n    x()', "x()"),
        ("", ""),
    ],
)
def test_the_line_that_reports_why_is_no_frame_and_nothing_around_it(log: str, line: str) -> None:
    assert find_cause_line(log.splitlines()) == line
