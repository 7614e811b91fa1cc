"""Text of others is inert wherever it is shown; JSON keeps it."""

from __future__ import annotations

import html
import json
import sys
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vrooli import inert

INVISIBLE = ("Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn")


def test_no_character_of_unicode_that_controls_or_hides_is_shown() -> None:
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    shown = {c for c in inert.lines(everything) if unicodedata.category(c) in INVISIBLE}
    assert shown == set("\n\t")
    one = inert.line(everything)
    assert len(one.splitlines()) == 1
    assert {c for c in one if unicodedata.category(c) in INVISIBLE} <= {"\t"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a plain line, with é and 日本 and ✓", "a plain line, with é and 日本 and ✓"),
        ("\x1b[31mred\x1b[0m \x9b1mbold", "red bold"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1b]0;title\x07x", "x"),
        ("a\u202eb\u200bc\ufeffd", "a\ufffdb\ufffdc\ufffdd"),
        ("no-break\u00a0space", "no-break space"),
        ("a\rb\r\nc\u2028$ rm\n", "a ⏎ b ⏎ c ⏎ $ rm"),
        ("\x1b\x1b[[31m", "\ufffd31m"),
    ],
)
def test_sequences_are_left_out_and_other_characters_are_marked(text: str, shown: str) -> None:
    assert inert.line(text) == shown


@settings(derandomize=True, max_examples=60)
@given(st.text())
def test_inert_text_stays_as_it_is(text: str) -> None:
    assert inert.line(inert.line(text)) == inert.line(text)
    assert inert.lines(inert.lines(text)) == inert.lines(text)
    assert inert.line(html.unescape(inert.html(text))) == inert.line(inert.lines(text))


@settings(derandomize=True, max_examples=60)
@given(
    st.text(st.characters(codec="utf-8") | st.sampled_from("\x1b\x7f\x9b\u202e\u2028\U000e0041"))
)
def test_json_keeps_the_text_and_shows_no_control_character(text: str) -> None:
    written = inert.json(json.dumps([text], ensure_ascii=False, indent=1))
    assert json.loads(written) == [text]
    assert written.replace("\n", "").isprintable()


def test_hostile_text_of_a_megabyte_is_inert_in_linear_time() -> None:
    for text in ("\x1b]" * 500_000, "\x9d" * 1_000_000, "\x1b[" + "0" * 1_000_000):
        assert len(inert.line(text)) <= len(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web" + " " * 200 + "Ready", "web ␣ Ready"),
        ("web" + " " * 9 + "Ready", "web ␣ Ready"),
        ("\t" * 9 + "Ready", " ␣ Ready"),
        ("web" + "\u2003" * 20 + "Ready", "web ␣ Ready"),
        ("web" + "\u2800" * 30 + "Ready", "web ␣ Ready"),
        ("web" + " \u2800" * 5 + "Ready", "web ␣ Ready"),
        ("⠓⠑⠇⠇⠕\u2800⠺⠕⠗⠇⠙", "⠓⠑⠇⠇⠕\u2800⠺⠕⠗⠇⠙"),
        ("web \x1b[0m" * 1 + " " * 8 + "Ready", "web ␣ Ready"),
        # Programs align their output.
        ("INFO:     Started", "INFO:     Started"),
        ("        at main.py", "        at main.py"),
    ],
)
def test_a_run_of_spaces_pushes_nothing_out_of_sight(text: str, shown: str) -> None:
    assert inert.line(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("e" + "\u0301" * 1000 + "x", "e" + "\u0301" * 4 + "\ufffdx"),
        ("e" + "\u0301\u0489\u20dd" * 5, "e\u0301\u0489\u20dd\u0301\ufffd"),
        ("\u1112" + "\u1161" * 50, "\u1112" + "\u1161" * 4 + "\ufffd"),
        ("日本" + "\u3099" * 9 + "語", "日本" + "\u3099" * 4 + "\ufffd語"),
        ("a\n" + "\u0301" * 5, "a ⏎ " + "\u0301" * 4 + "\ufffd"),
        ("\U0001e922" + "\U0001e944" * 9, "\U0001e922" + "\U0001e944" * 4 + "\ufffd"),
        ("\U0001f680" + "\u0301\U0001e944" * 9, "\U0001f680" + "\u0301\U0001e944" * 2 + "\ufffd"),
        # Words with marks, as they are written.
        ("Việt e\u0302\u0301", "Việt e\u0302\u0301"),
        ("ที่นี่ น้ำ हिन्दी བསྒྲུབས", "ที่นี่ น้ำ हिन्दी བསྒྲུབས"),
    ],
)
def test_a_pile_of_marks_is_cut(text: str, shown: str) -> None:
    assert inert.line(text) == shown
    assert inert.line(shown) == shown


def test_json_keeps_a_pile_of_marks_as_escapes() -> None:
    text = "e" + "\u0301" * 1000
    written = inert.json(json.dumps([text], ensure_ascii=False))
    assert json.loads(written) == [text]
    assert inert.is_inert(written)


def test_a_megabyte_of_marks_is_inert_in_linear_time() -> None:
    assert len(inert.line("\u0301" * 1_000_000)) == 5
    assert inert.line("aは\u0301" * 300_000) == "aは\u0301" * 300_000


def test_marks_of_all_planes_are_limited() -> None:
    for code in range(sys.maxunicode + 1):
        sign = chr(code)
        if unicodedata.category(sign)[0] == "M" and inert.is_shown(sign):
            assert not inert.is_inert("a" + sign * 5), hex(code)


def test_emojis_and_marks_beyond_the_first_plane_are_as_fast_as_others() -> None:
    pairs = (
        ("\U0001f680" * 1_000_000, "は" * 1_000_000),
        (("\U0001f680" + "\U0001e8d0" * 4) * 200_000, ("は" + "\u0301" * 4) * 200_000),
    )
    for text, other in pairs:
        # They take two to three times as long; it was a hundred times.
        assert min(_seconds(text) / _seconds(other) for _ in range(3)) < 10


def _seconds(text: str) -> float:
    begin = time.process_time()
    assert inert.is_inert(text)
    return time.process_time() - begin
