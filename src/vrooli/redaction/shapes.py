"""Masks unknown secrets in any text, by their name or their shape. No I/O here."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote

from vrooli.redaction.names import HEADERS, MASK, WORDS, is_plain, is_prose, names_secret

# Every text that the patterns below can change contains one of these; most texts contain none.
_HINTS = (
    *("pass", "secret", "token", "credential", "cookie", "verifier", "jwt", "bearer", "signature"),
    *("key", "_pwd", "-pwd", "auth", "identified", "basic ", "digest ", "negotiate ", "-----begin"),
    *("://", "%3a%2f%2f"),
)
_TOKEN_HINTS = (
    *("eyj", "hvs.", "hvb.", "hvr.", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat", "glpat"),
    *("xox", "akia", "asia", "sk-", "sk_", "aiza", "npm_", "dckr_pat", "scram-sha"),
)
# Quotes, and the separators between a name and its value, also in URLs and in nested JSON.
_QUOTE = r"""(?:\\*["'`]|%22|%27|&quot;|&\#34;|&\#39;)"""
_BETWEEN = r"\s*(?::|=>?|%3[AaDd])\s*"
# The end of a value without quotes: a space, or the next setting.
_UNQUOTED = (
    rf"""(?:(?![,;&]\s*{_QUOTE}?[\w.-]+{_QUOTE}?\s*[=:]|%26|{_QUOTE}[\s,}}\])]|{_QUOTE}$)\S)+"""
)
# An object is not a value: its contents have their own names.
_OBJECT = rf"\{{\s*{_QUOTE}[\w.-]+{_QUOTE}\s*:"
_VALUE = (
    rf"(?:(?P<q>{_QUOTE})(?P<quoted>.*?)(?:(?<!\\)(?P=q)|$)|(?!{_OBJECT})(?P<bare>{_UNQUOTED}))"
)
# From the significant word on; the beginning of the name is matched backwards.
_NAME = rf"(?P<name>(?:{WORDS})[\w.-]{{0,80}})"
_NAME_BEGIN = re.compile(r"[\w./-]{0,80}\Z")
_NAMED = re.compile(
    rf"(?im)(?P<lead>{_NAME}{_QUOTE}?{_BETWEEN}"
    rf"|(?<!\S)--?(?P<flag>[\w-]{{0,80}}?(?:{WORDS})[\w-]{{0,80}})[ \t]+)"
    rf"(?P<value>{_VALUE})"
)
# A setting on a line of its own: the rest of the line is its value.
_LINE = re.compile(
    rf"(?im)^(?P<lead>\s*(?:-\s+|export\s+|\#\s*)?(?P<q>[\"']?)(?P<name>[\w./-]*(?:{WORDS})[\w.-]*)"
    r"(?P=q)\s*[:=][ \t]*)(?P<value>[^\s\"'].*?)(?P<end>\s*)$"
)
# A value in YAML that spans the following lines.
_BLOCK = re.compile(
    rf"(?im)^(?P<lead>(?P<indent>[ \t]*)(?:-\s+)?[\"']?(?P<name>[\w.-]*(?:{WORDS}|\bkey)[\w.-]*)"
    r"[\"']?:[ \t]*[|>][+-]?\d?\n)(?P<value>(?:(?P=indent)[ \t]+.*(?:\n|\Z)|[ \t]*\n)+)"
)
# A list entry with separate keys for name and value, as in environments and headers.
_ENTRY = re.compile(
    rf"""(?i)(?P<lead>\bname{_QUOTE}?{_BETWEEN}{_QUOTE}?(?P<name>[\w.-]{{1,80}}){_QUOTE}?[,\s]*
    {_QUOTE}?value{_QUOTE}?{_BETWEEN})(?P<value>{_VALUE})""",
    re.VERBOSE,
)
_HEADER = re.compile(
    rf"(?im)(?P<lead>(?<![\w-])(?:{HEADERS}){_QUOTE}?\s*(?:[:=]|%3[Aa])\s*)"
    rf"(?P<value>\[[^\]\n]*|{_QUOTE}?[^\n\"'`\\\]]+)"
)
_SPOKEN = re.compile(
    r"""(?ix)(?P<lead>\b(?:bearer|basic|digest|negotiate)\s+)(?P<value>[A-Za-z0-9._~+/=-]{8,})
    | (?P<lead2>\b(?:password|passwd|requirepass|masterauth|auth-pass|identified\s+by)
      (?:\s+(?:is|was|to|of|for|mymaster))?\s+)(?P<value2>\\*["'`][^"'`\n]+|(?<=(?:pass|auth)\s)\S+)"""
)
_IN_ADDRESS = re.compile(
    r"(?i)(?P<lead>\b[a-z][a-z0-9+.-]{1,30}(?:://|%3A%2F%2F))(?P<user>[^\s/@:\"'<>]*)"
    r"(?P<pass>(?::|%3A)[^\s@\"'<>]*(?:@[^\s@/\"'<>]*)*?)?(?P<end>@|%40)(?=[\w\[.*-])"
)
_KEY_BLOCK = re.compile(
    r"(?s)(-----BEGIN [A-Z0-9 ]*(?:PRIVATE KEY|OPENSSH)[A-Z0-9 -]*-----).*?"
    r"(-----END [A-Z0-9 ]*-----|\Z)"
)
# Tokens with a recognizable prefix.
_TOKENS = re.compile(
    r"""(?x) \beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,4} | \bhv[sbr]\.[A-Za-z0-9_-]{8,}
    | \bgh[opsur]_[A-Za-z0-9]{16,} | \bgithub_pat_\w{16,}
    | \bglpat-[\w-]{16,} | \bxox[abeoprs]-[\w-]{10,} | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b
    | \bsk[-_](?:live_|test_|ant-|proj-)?[\w-]{16,} | \bAIza[\w-]{30,} | \bnpm_[A-Za-z0-9]{30,}
    | \bdckr_pat_[\w-]{16,} | \bSCRAM-SHA-256\$\S+"""
)
_OLD_TOKEN = re.compile(r"(?<![\w.])[sbr]\.[A-Za-z0-9]{20,}")
_RUN = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{16,}={0,2}")
_PRINTABLE = 0.95
# The number of nested base64 encodings that are decoded.
_DEPTH = 3
# Sequences of letters and digits that are longer than names, without punctuation.
_LONG_RUN, _LONG_PART = 40, 20
# The minimum length of such a sequence in a random value of an environment.
_MIN_RANDOM = 16


def mask(text: str, depth: int = _DEPTH) -> str:
    """The text with everything masked that looks like a secret."""
    lower = text.lower()
    if any(hint in lower for hint in _TOKEN_HINTS):
        text = _TOKENS.sub(MASK, text)
    text = _OLD_TOKEN.sub(MASK, text)
    if any(hint in lower for hint in _HINTS):
        text = _mask_by_name(text)
    return _RUN.sub(lambda match: MASK if _contains_secret(match[0], depth) else match[0], text)


def is_random(value: str) -> bool:
    """Whether a setting's value looks random, like a key, and not like a name or an address."""
    return (
        len(value) >= _MIN_RANDOM
        and not re.search(r"[\s:]|\.\w+\.|^/", value)
        and _has_all_classes(value.rstrip("="))
    )


def _mask_by_name(text: str) -> str:
    text = _KEY_BLOCK.sub(rf"\1{MASK}\2", text)
    text = _IN_ADDRESS.sub(_mask_address, text)
    text = _HEADER.sub(rf"\g<lead>{MASK}", text)
    text = _SPOKEN.sub(lambda match: f"{match['lead'] or match['lead2']}{MASK}", text)
    text = _BLOCK.sub(_mask_block, text)
    text = _ENTRY.sub(_mask_named, text)
    text = _LINE.sub(_mask_line, text)
    return _NAMED.sub(_mask_setting, text)


def _mask_address(match: re.Match[str]) -> str:
    user, password, lead = match["user"], match["pass"], match["lead"]
    if password is None:
        return match[0] if len(user) < _MIN_RANDOM else f"{lead}{MASK}{match['end']}"
    sign = ":" if password.startswith(":") else "%3A"
    return f"{lead}{user}{sign}{MASK}{match['end']}"


def _mask_block(match: re.Match[str]) -> str:
    if not names_secret(match["name"]) and "key" not in match["name"].lower():
        return match[0]
    return f"{match['lead']}{match['indent']}  {MASK}\n"


def _mask_line(match: re.Match[str]) -> str:
    value = match["value"]
    if not names_secret(_last_part(match["name"])) or is_plain(value) or is_prose(value):
        return match[0]
    # More settings may follow in a log line: each is checked separately.
    if re.search(r"\s[\w.-]+=|,\s*[\"']?[\w.-]+[\"']?\s*[:=]|://", value):
        return match[0]
    return f"{match['lead']}{MASK}{match['end']}"


def _mask_setting(match: re.Match[str]) -> str:
    begin = _NAME_BEGIN.search(match.string, max(0, match.start() - 80), match.start())
    return _mask_named(match, begin[0] if begin and match["name"] else "")


def _mask_named(match: re.Match[str], begin: str = "") -> str:
    names = match.groupdict()
    name = f"{begin}{names['name'] or names.get('flag') or ''}"
    quote, value = names["q"] or "", names["quoted"] if names["q"] else names["bare"]
    if not names_secret(_last_part(name)) or not value or is_plain(value, partial=not quote):
        return _mask_inner(match)
    if not quote and (is_prose(match.string[match.start("value") :]) or value.startswith(MASK)):
        return _mask_inner(match)
    closing = quote if quote and match["value"].endswith(quote) else ""
    ends = "" if quote else value[len(value.rstrip(")]}\"'`,;")) :]
    return f"{match['lead']}{quote}{MASK}{closing}{ends}"


def _mask_inner(match: re.Match[str]) -> str:
    """Mask inside a value that is not secret: it may be another setting, `a secret: password=…`."""
    return match["lead"] + _NAMED.sub(_mask_setting, match["value"])


def _last_part(name: str) -> str:
    """The last part of a path: `VaultStaticSecret/redis` refers to redis."""
    return name.rpartition("/")[2] or name


def _contains_secret(run: str, depth: int) -> bool:
    """Whether letters and digits are a key, or the base64 encoding of a text with a secret."""
    unpadded = run.rstrip("=")
    if len(unpadded) >= _LONG_RUN and any(
        len(part) >= _LONG_PART and _has_all_classes(part) for part in re.split("[/_-]", unpadded)
    ):
        return True
    if depth == 0 or not _is_mixed(unpadded):
        return False
    text = _decoded(unpadded)
    return text is not None and mask(text, depth - 1) != text


def _has_all_classes(text: str) -> bool:
    return all(re.search(kind, text) for kind in ("[a-z]", "[A-Z]", "[0-9]"))


def _is_mixed(text: str) -> bool:
    return bool(re.search("[a-z]", text) and re.search("[A-Z]", text))


def _decoded(run: str) -> str | None:
    """The decoded base64, or None if it is not a text."""
    run = run.translate(str.maketrans("-_", "+/"))
    try:
        raw = base64.b64decode(run + "=" * (-len(run) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    text = raw.decode(errors="replace")
    readable = sum(sign.isprintable() or sign in "\n\t\r" for sign in text if sign != "\ufffd")
    return unquote(text) if readable >= _PRINTABLE * len(text) else None
