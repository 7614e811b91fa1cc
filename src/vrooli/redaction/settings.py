"""Values that stand behind a name: settings, headers, options, elements, entries.

Each function looks at one place that a word marks, and reads a bounded part of the text around it.
No I/O here.
"""

from __future__ import annotations

import re
from functools import lru_cache

from vrooli.redaction.names import MASK, is_header, is_plain, is_prose, names_secret
from vrooli.redaction.tokens import QUOTE, Span

# The part of a name before and after its significant word.
_SIDE = 80
_BEFORE = re.compile(r"[\w./-]{0,80}+")
_AFTER = re.compile(r"(?:[\w.-]{0,80}+(?: \d{1,2}(?=\W))?)")
# "api key", "Unseal Key 1": the word before the last one.
_FIRST_WORD = re.compile(
    r" (?:ipa|ssecca|etavirp|gningis|noitpyrcne|tneilc|retsam|laesnu|yrevocer)"
)
_SEPARATOR = re.compile(
    rf"""(?P<close>{QUOTE}?)(?:[ ]\([^()\n]{{1,40}}+\))?(?:
      (?P<sign>[ \t\r\n]{{0,20}}+(?::=|=>|->|==?|:(?!:)|\||%3[AaDd]|[\uFF1A\uFF1D])
        [ \t\r\n]{{0,20}}+)
    | (?P<element>(?:\s[^<>\n]{{0,200}}+)?>)
    | (?P<tab>[ ]{{0,20}}+\t[ \t]{{0,20}}+)
    | (?P<argument>\s{{0,20}}+,\s{{0,20}}+(?={QUOTE}))
    | (?P<words>[ ]{{1,20}}+(?={QUOTE}))
    | (?P<space>[ \t]{{1,20}}+(?=[^\s-]))
    )""",
    re.VERBOSE,
)
_OPENING = re.compile(QUOTE)
_OBJECT = re.compile(rf"\{{\s{{0,20}}+{QUOTE}[\w.-]{{1,80}}+{QUOTE}\s{{0,20}}+:")
# The end of a value without quotes: a space, or the next setting. A quote has at most 15
# backslashes, so that those before them need no look.
_UNQUOTED = re.compile(
    rf"""(?:[^\s,;&%"'`\\]++|\\+(?=\\{{15}})|(?!(?:[,;]|&(?:amp;)?)\s{{0,20}}+{QUOTE}?[\w.-]{{1,80}}+{QUOTE}?
    \s{{0,20}}+[=:]|%26|{QUOTE}(?:[\s,}})\]<]|$))\S)+""",
    re.VERBOSE,
)
_LIST = re.compile(rf"\[\s{{0,20}}+(?={QUOTE})")
_LIST_END = re.compile(r"\]|\n")
# A value in YAML that spans the following lines.
_BLOCK = re.compile(r"[|>][+-]?\d?[ \t]*\n")
_INDENT = re.compile(r"[ \t]*(?:-[ \t]+)?")
# A setting on a line of its own: the rest of the line is its value.
_LINE_BEGIN = re.compile(r"\s*(?:-\s+|export\s+|\#\s*)?[\"']?")
_NEXT_SETTING = re.compile(r"\s[\w.-]++=|,\s{0,20}+[\"']?[\w.-]{1,80}+[\"']?\s{0,20}+[:=]|://")
_HEADER_SIGN = re.compile(rf"{QUOTE}?\s{{0,20}}+(?:[:=]|%3[Aa])[ \t]{{0,20}}+")
_HEADER_VALUE = re.compile(rf"""\[[^\]\n]*+|(?:="[^"\n]*+"|{QUOTE}(?=[^\n])|)[^\n"'`\\\]]*+""")
_COOKIES = re.compile(r"""(?:="[^"\n]*+"|[^\n"'`\\\]])++""")
# Words before a value: "password is 'x'", "IDENTIFIED BY 'x'", "Bearer x", netrc.
_SPOKEN = re.compile(
    r"""(?ix)(?: (?:bearer|basic|digest|negotiate)\s{1,20}+
      (?P<scheme>(?-i:(?=[a-z]*+[^a-z\s]))[A-Za-z0-9._~+/=-]{8,}+)
    | (?:password|passwd|passphrase|requirepass|masterauth|auth-pass|identified\s{1,20}+by|passcode)
      (?:\s{1,20}+(?:for|of)(?:\s{1,20}+[^\s:]{1,60}+){1,2}?(?=:?\s))?
      (?P<verb>:|\s{1,20}+(?:is|was|to|of|for|mymaster))?\s{1,20}+
      (?:(?P<quoted>'(?:[^'\n]|'')++|\\{0,15}+["'`][^"'`\n]++)|(?P<word>\S++)))"""
)
_BARE_SPOKEN = ("auth-pass", "requirepass", "masterauth")
# "secrets: configures it": a word behind these continues a sentence.
_PLURALS = ("secrets", "tokens", "passwords", "credentials")
_WORD = re.compile(r"[A-Za-z]++(?=[\s,;.]|$)")
# What ends a value that stands in brackets or in a sentence.
_CLOSING = ")]}\"'`,;"


def name_around(text: str, start: int, end: int) -> Span:
    """The bounds of the whole name around a significant word."""
    back = text[max(0, start - _SIDE) : start][::-1]
    before = _BEFORE.match(back)
    begin = start - (before.end() if before else 0)
    if begin == start and (first := _FIRST_WORD.match(back)):
        begin -= first.end()
    after = _AFTER.match(text, end)
    return begin, after.end() if after else end


def value_of(  # noqa: PLR0911 - one return for each form
    text: str, begin: int, end: int
) -> Span | None:
    """The span of the secret value behind the name at these bounds, if there is one."""
    name = text[begin:end].rpartition("/")[2] or text[begin:end]
    if is_header(name) and (sign := _HEADER_SIGN.match(text, end)):
        return _header(text, sign.end(), name)
    if not names_secret(name.lstrip("-")):
        return None
    separator = _SEPARATOR.match(text, end)
    if separator is None:
        return None
    kind, at = separator.lastgroup, separator.end()
    if kind == "element":
        return _element(text, begin, at)
    if not _separates(text, separator, begin, name):
        return None
    if kind == "sign" and separator["sign"].strip() == ":" and _BLOCK.match(text, at):
        return _block(text, begin, at)
    return _value(text, begin, at, name)


def _separates(text: str, separator: re.Match[str], begin: int, name: str) -> bool:
    """Whether a value follows: behind spaces or commas only if the name is an option."""
    kind = separator.lastgroup
    if kind == "words":  # `"requirepass" "x"`
        return bool(separator["close"])
    if kind not in ("argument", "space"):
        return True
    return name.startswith("-") and text[begin - 1 : begin] in ("", " ", "\t", '"', "'", "\n")


def _value(  # noqa: PLR0911 - one return for each form
    text: str, begin: int, at: int, name: str
) -> Span | None:
    if opening := _OPENING.match(text, at):
        return _quoted(text, opening.end(), opening[0])
    if listed := _LIST.match(text, at):
        end = _LIST_END.search(text, listed.end())
        return listed.end(), end.start() if end else len(text)
    if text.startswith((MASK, f"[{MASK}"), at):
        return None
    if _OBJECT.match(text, at) or is_prose(text[at : at + 20]):
        return None
    if name.lower().endswith(_PLURALS) and _WORD.match(text, at):
        return None
    if rest := _rest_of_line(text, begin, at):
        return rest
    match = _UNQUOTED.match(text, at)
    if match is None or is_plain(match[0][:301], partial=True):
        return None
    if match[0].rstrip(_CLOSING).lower() == name.lower():
        return None  # an argument of a function: auth=auth
    if name.lower() == "pwd" and match[0].startswith("/"):
        return None
    return at, at + len(match[0].rstrip(_CLOSING))


def _quoted(text: str, at: int, quote: str) -> Span | None:
    """The text up to the same quote, which no backslash precedes; else up to the line's end."""
    line_end = text.find("\n", at)
    line_end = len(text) if line_end < 0 else line_end
    end = text.find(quote, at, line_end)
    # As many backslashes escape a quote inside; a limited number of those is skipped.
    for _ in range(200):
        if end <= at:
            break
        if text[end - 1] != "\\":
            if quote != "'" or text[end + 1 : end + 2] != "'":
                break
            end += 1  # SQL doubles a quote inside
        end = text.find(quote, end + len(quote), line_end)
    end = line_end if end < 0 else end
    value = text[at:end]
    return None if not value or is_plain(value) else (at, end)


def _rest_of_line(text: str, begin: int, at: int) -> Span | None:
    """The rest of the line, if the setting is the only one on its line."""
    line = text.rfind("\n", max(0, begin - 100), begin) + 1
    if line == 0 and begin > 100:  # noqa: PLR2004 - the same bound
        return None
    if not _LINE_BEGIN.fullmatch(text, line, begin):
        return None
    line_end = text.find("\n", at)
    value = text[at : line_end if line_end >= 0 else len(text)].rstrip()
    if not value or "\n" in text[begin:at] or is_plain(value) or _NEXT_SETTING.search(value):
        return None
    return at, at + len(value)


def _block(text: str, begin: int, at: int) -> Span | None:
    """The lines of a YAML block, which are indented more than its name."""
    line = text.rfind("\n", 0, begin) + 1
    lead = _INDENT.match(text, line, begin)
    indent = len(lead[0]) if lead else 0
    first = text.find("\n", at) + 1
    match = _deeper(indent).match(text, first)
    value = match[0] if match else ""
    begin_value = first + len(value) - len(value.lstrip(" \t"))
    end = first + len(value.rstrip("\n"))
    return (begin_value, end) if begin_value < end else None


@lru_cache(200)
def _deeper(indent: int) -> re.Pattern[str]:
    """Lines that are indented more, and blank lines between them."""
    return re.compile(rf"(?:[ \t]{{{indent + 1},}}+[^\n]*+(?:\n|\Z)|[ \t]*+\n)++")


def block_of(text: str, start: int, end: int) -> Span | None:
    """The YAML block behind a name that ends in "key"; ``end`` is after its sign."""
    begin, _ = name_around(text, start, start)
    return _block(text, begin, end - 1) if _BLOCK.match(text, end - 1) else None


def _element(text: str, begin: int, at: int) -> Span | None:
    """The content of an XML element."""
    if "<" not in text[max(0, begin - 30) : begin] or text[begin - 1 : begin] not in ("<", ":"):
        return None
    end = text.find("<", at)
    end = len(text) if end < 0 else end
    return None if is_plain(text[at:end]) else (at, end)


def _header(text: str, at: int, name: str) -> Span | None:
    cookies = name.lower().endswith("cookie")
    match = (_COOKIES if cookies and text[at : at + 1] not in "[\"'" else _HEADER_VALUE).match(
        text, at
    )
    return match.span() if match and match[0].strip(" \"'") else None


def spoken_value(text: str, start: int) -> Span | None:
    """The value behind words of a sentence or of a command that begin here."""
    match = _SPOKEN.match(text, start)
    if match is None:
        return None
    kind = str(match.lastgroup)
    word = match[kind]
    if kind == "word" and not _is_spoken(text, match):
        return None
    return None if kind == "word" and is_plain(word) else match.span(kind)


def _is_spoken(text: str, match: re.Match[str]) -> bool:
    """Whether a word without quotes is a secret and does not continue a sentence."""
    word = match["word"]
    if match[0].split(maxsplit=1)[0].lower() in _BARE_SPOKEN:
        return True
    if is_prose(word):
        return False
    if match["verb"] and any(map(str.isdigit, word)):
        # Without a digit it may be any word: "the password was changed".
        return True
    lowest, start = max(0, match.start() - 130), match.start()
    has_login = text.find("login", lowest, start) >= 0
    if has_login and text[lowest:start].rsplit(None, 2)[-2:-1] == ["login"]:
        return True
    if text[match.end() : match.end() + 1] not in ("", "\n"):
        return False
    before = text[lowest:start].rstrip(" \t")
    return not before or before.endswith("\n")
