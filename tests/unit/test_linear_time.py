"""Patterns that are searched in texts of others take linear time."""

from __future__ import annotations

import re
import time

import pytest

from vrooli.checks.images import registry
from vrooli.diagnosis.rules.cluster import quota_exceeded
from vrooli.diagnosis.rules.vso import restart_loop
from vrooli.kube import api_errors
from vrooli.operators.installation import install

# Takes milliseconds; in quadratic time it would take minutes.
LENGTH, LIMIT_S = 200_000, 10.0


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        (registry._PARAMETER, "a"),
        (registry._PARAMETER, 'a="'),
        (restart_loop._DURATION, "0"),
        (restart_loop._DURATION, "0."),
        (api_errors._TAGS, "<"),
        (api_errors._TAGS, "<style "),
        (quota_exceeded.QUOTA, "exceeded quota: a, requested: "),
        (quota_exceeded.QUOTA, "exceeded quota: a, requested: b, used: c, limited: d, used: "),
        (install._VERSION, "0"),
        (install._VERSION, "0."),
    ],
)
def test_a_long_text_takes_linear_time(pattern: re.Pattern[str], part: str) -> None:
    text = part * (LENGTH // len(part))
    began = time.process_time()
    for _ in pattern.finditer(text):
        pass
    assert time.process_time() - began < LIMIT_S


def test_what_they_find_stays_the_same() -> None:
    challenge = 'Bearer realm="https://r.example/token",service="r",scope="a:pull"'
    assert registry._PARAMETER.findall(challenge) == [
        ("realm", "https://r.example/token"),
        ("service", "r"),
        ("scope", "a:pull"),
    ]
    assert restart_loop._seconds("1h30m1.5s") == 5401.5
    found = [install._VERSION.search(tag) for tag in ("ubi9-5.8.2-0", "v1.2.4", "10.0", "1", "")]
    assert [match and match[0] for match in found] == ["5.8.2", "1.2.4", "10.0", None, None]
    page = "<html><style>a { b }</style><p class='x'>Bad <b>Gateway</b></p>"
    assert api_errors._excerpt(page) == "Bad Gateway"
