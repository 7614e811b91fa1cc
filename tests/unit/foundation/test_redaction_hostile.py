"""Hostile texts take linear time and no exception, and nothing of a text that fails remains."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.secrets.canaries import drawn
from support.secrets.hostile_texts import GENERATORS, PIECES
from support.secrets.ordinary_lines import ordinary_lines
from vrooli.redaction import MASK, Lines, Redactor, shapes
from vrooli.redaction import redactor as redaction
from vrooli.redaction.plain_text import plain, plain_lines
from vrooli.redaction.redactor import LONGEST_LINE

SECRET = "q8Zk2LmN0pRt"
REDACTOR = Redactor([drawn(f"value {number}") for number in range(20)])
# Four times the text may take so many times as long: 4 if it is linear, 16 if it is quadratic.
MOST = 10.0


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_the_time_grows_with_the_length_only(name: str) -> None:
    texts = [GENERATORS[name](length) for length in (16_000, 64_000)]
    ratio = min(_seconds(texts[1]) / _seconds(texts[0]) for _ in range(3))
    assert ratio < MOST


def _seconds(text: str) -> float:
    began = time.process_time()
    shapes.find(text)
    # A few microseconds are the same for any text.
    return time.process_time() - began + 0.0005


@pytest.mark.parametrize("name", sorted(GENERATORS))
def test_a_hostile_text_is_masked_without_an_exception(name: str) -> None:
    text = GENERATORS[name](6_000)
    for masked in (
        REDACTOR.text(text),
        "\n".join(REDACTOR.lines(text.split("\n"))),
        json.dumps(REDACTOR.tree({"a": [text]})),
    ):
        assert "redaction failed" not in masked


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40))
def test_any_text_is_masked_without_an_exception(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert "redaction failed" not in REDACTOR.text(text)
    assert "redaction failed" not in "".join(REDACTOR.lines(pieces))


# Parts of sequences that another line must not complete, and characters without a width.
CONTROLS = (
    *("\x1b", "\x1b[3", "\x1b]0;", "\x07", "\x90", "\x9b", "\x9c", "\x1b(", "\\", "m", "\u200b"),
    *("\u0301" * 3, "\U0001f680", "\t", "\r", "%7", "\\u00", "&#6", "5;", "70"),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(
        st.lists(st.sampled_from((*PIECES, *CONTROLS)), max_size=8).map(
            lambda pieces: "".join(pieces).replace("\n", "")
        ),
        max_size=10,
    )
)
def test_the_plain_form_of_lines_is_that_of_each(lines: list[str]) -> None:
    assert plain_lines(lines) == [plain(line) for line in lines]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_a_password_on_its_own_line_is_masked_whatever_the_other_lines_are(
    pieces: list[str],
) -> None:
    noise = "".join(pieces).replace("\n", " ")
    assert SECRET not in Redactor().text(f"{noise}\npassword={SECRET}\n{noise}")


# Each is complete on its line: what follows or precedes it does not belong to it. The commands of
# Redis are not, since its protocol writes each argument on a line.
COMPLETE = (
    *(
        f"password={SECRET}",
        f'{{"token": "{SECRET}"}}',
        f"--api-key {SECRET}",
        f"api_key: {SECRET}.",
    ),
    *(f"curl -u bob:{SECRET} https://example.com", f"postgres://bob:{SECRET}@db/vrooli?x=1"),
    *(f"Authorization: Bearer {SECRET}{SECRET}", f"redis-cli -a {SECRET} ping"),
    *("an ordinary line", "  - name: vrooli-server", "\x1b[31mred\x1b[0m", "a \u200b b", ""),
    *(
        "GET /api/posts?limit=50 200",
        "key: value",
        "x" * 60,
        "aa:bb:cc",
        "the password was changed",
    ),
    *(f"\\u0070assword={SECRET}", "100%25 &#65; \\x41", "2026-11-28 10:00:00 INFO ready", '"'),
    *(drawn("value 3"), f"hvs.{SECRET}{SECRET}", "{" * 20, "\\" * 40 + '"'),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(COMPLETE), max_size=30))
def test_a_text_of_complete_lines_is_masked_as_each_line_is(lines: list[str]) -> None:
    masked = "\n".join(REDACTOR.lines(lines))
    assert SECRET not in masked
    # A text with a secret is shown in its plain form, all its lines as well.
    assert plain(REDACTOR.text("\n".join(lines))) == plain(masked)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(
        st.lists(st.sampled_from((*PIECES, *COMPLETE)) | st.text(max_size=3), max_size=8).map(
            "".join
        ),
        max_size=30,
    )
)
def test_lines_are_masked_together_as_they_are_one_by_one(lines: list[str]) -> None:
    lines = [line for part in lines for line in part.split("\n")]
    alone = Lines(REDACTOR)
    split = REDACTOR.mask_split_values(lines)
    assert REDACTOR.lines(lines) == [alone.next(line) if line else line for line in split]


def test_ordinary_lines_are_masked_together_as_they_are_one_by_one() -> None:
    lines = list(ordinary_lines(3_000))
    assert REDACTOR.lines(lines) == [REDACTOR.text(line) for line in lines]


def test_a_log_with_too_many_secrets_shows_nothing_of_the_last_ones() -> None:
    lines = [f"a password={SECRET}{number} of {number}" for number in range(20_000)]
    masked = REDACTOR.lines(lines)
    assert masked[0] == f"a password={MASK} of 0"
    assert masked[-1] == MASK
    keys = ["-----BEGIN RSA PRIVATE KEY-----", f"{SECRET}/", "-----END RSA PRIVATE KEY-----"]
    assert SECRET not in "".join(REDACTOR.lines([*lines, *keys]))


def test_lines_without_words_of_secrets_are_searched_after_too_many_secrets() -> None:
    lines = [f"password={SECRET}{number}" for number in range(6_000)]
    ordinary = "watch of *v1.Pod ended"
    known, key = f"at {drawn('value 3')} of", "at hvs.q8Zk2LmN0pRtq8Zk2LmN0pRt of"
    masked = REDACTOR.lines([*lines, ordinary, known, key, *lines[:1], ordinary])
    assert masked[6_000:] == [ordinary, MASK, MASK, f"password={MASK}", ordinary]


def test_ordinary_lines_with_long_names_are_shown_after_too_many_secrets() -> None:
    lines = [f"a password={SECRET}{number} of {number}" for number in range(20_000)]
    ordinary = [f"ReconcilePodsAndServices {number}" for number in range(20_000)]
    assert REDACTOR.lines([*lines, *ordinary])[20_000:] == ordinary


def test_lines_with_colours_are_shown_however_many_there_are() -> None:
    lines = [f"\x1b[32mINFO\x1b[0m request {number} of 10000 took 3 ms" for number in range(10_000)]
    assert REDACTOR.lines(lines) == lines


def test_nested_names_leave_nothing() -> None:
    masked = Redactor().text("GET /" + "password=" * 270 + SECRET)
    assert SECRET not in masked


@pytest.mark.parametrize("known", [True, False])
def test_a_line_that_is_too_long_is_cut_and_says_so(known: bool) -> None:
    secret = f"{SECRET}{SECRET}"
    redactor = Redactor([secret] if known else [])
    text = "x " * (LONGEST_LINE // 2 - 10) + ("" if known else "password=") + secret + " y" * 9_000
    masked = redactor.text(f"first\n{text}\nlast")
    first, cut, last = masked.split("\n")
    assert (first, last) == ("first", "last")
    assert secret[:6] not in cut
    assert len(cut) <= LONGEST_LINE
    missing = int(cut.rpartition("(")[2].split()[0])
    assert cut.endswith(f"{MASK} ({missing} more characters)")
    assert missing > len(text) - LONGEST_LINE


def test_a_structure_that_is_nested_too_deeply_is_masked() -> None:
    body: object = "password=" + SECRET
    for _ in range(5_000):
        body = {"a": [body]}
    masked = Redactor().tree(body)
    text = "[" * 900 + f'"password={SECRET}"' + "]" * 900
    leaf = Redactor().tree({"annotation": text})
    assert SECRET not in leaf["annotation"]
    while isinstance(masked, dict):
        masked = masked["a"][0] if isinstance(masked["a"], list) else masked["a"]
    assert masked.startswith(MASK)


@pytest.mark.parametrize("fault", [RecursionError("deep"), ValueError("x"), KeyError("y")])
def test_nothing_of_a_text_remains_whose_redaction_fails(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(text: str) -> list[tuple[int, int]]:
        raise fault

    monkeypatch.setattr(redaction.shapes, "find", find)
    for text in (SECRET, SECRET * 100, f"{SECRET}\n{SECRET}"):
        masked = Redactor().text(text)
        assert masked == f"{MASK} (redaction failed: {type(fault).__name__})"
    text = f"aaaa:{SECRET}{SECRET} password={SECRET}"
    assert SECRET not in "".join(Redactor().lines(["a", f"\x1b{text}"]))


@pytest.mark.parametrize("search", ["words", "keys", "at_words", "lowered"])
def test_a_search_that_fails_hides_no_secret(search: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(shapes, search, fail)
    assert SECRET not in "".join(Redactor().lines(["a", f"password={SECRET}"]))


@pytest.mark.parametrize("text", ["\ud800password=x", "\u0130 password=hunter22", "\udcff" * 20])
def test_text_that_is_no_valid_unicode_is_masked_as_well(text: str) -> None:
    masked = Redactor(["a\ud800-known-value"]).text(text + " a\ud800-known-value")
    assert "redaction failed" not in masked
    assert "hunter22" not in masked
    assert "known-value" not in masked
