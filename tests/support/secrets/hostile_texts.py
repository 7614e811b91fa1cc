"""Texts that make a careless search for secrets slow, each of any length."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable

SEED = 13


def _repeated(piece: str) -> Callable[[int], str]:
    return lambda length: (piece * (length // len(piece) + 1))[:length]


def _drawn(alphabet: str) -> Callable[[int], str]:
    return lambda length: "".join(random.Random(SEED).choices(alphabet, k=length))  # noqa: S311


def _lines(line: Callable[[int], str], each: int) -> Callable[[int], str]:
    return lambda length: "\n".join(line(each) for _ in range(length // (each + 1) + 1))[:length]


def _numbered(line: str) -> Callable[[int], str]:
    return lambda length: "".join(map(line.format, range(length // 10)))[:length]


def _nested_base64(length: int) -> str:
    text = "user=bob and nothing else "
    while len(text) < length:
        text = base64.b64encode(text.encode()).decode() + " "
    return text[:length]


def _backslashes(length: int) -> str:
    parts, total, number = [], 0, 0
    while total < length:
        part = f'password={chr(92) * (number % 300)}"$('
        parts.append(part)
        total, number = total + len(part), number + 1
    return "".join(parts)[:length]


# What a search of secrets reacts to.
PIECES = (
    *("password", "secret", "token", "api_key", "auth", "x-a-key", "name", "value", "eyJ", "hvs."),
    *("://", "%3A%2F%2F", "@", ":", "=", '"', "'", "\\", " ", "\n", "{", "[", "<", ">", "-", ","),
    *("&", "curl", "-u", "-----BEGIN RSA PRIVATE KEY-----", "\x1b[31m", "\\u0070", "%70"),
    *("&#112;", "a", "Zz9"),
)
ORDINARY = (
    "I1128 10:00:00.{:06}       1 reflector.go:285] k8s.io/client-go: watch of *v1.Pod ended\n"
)
GENERATORS: dict[str, Callable[[int], str]] = {
    "nested names": _repeated("password="),
    "nested names with prose": _repeated("secret: password="),
    "names in quotes": _repeated('"password":"x",'),
    "open quotes": _repeated('password="$('),
    "backslashes before quotes": _backslashes,
    "one long name": lambda length: "a-" * (length // 2 - 8) + "password=x",
    "long names of headers": _repeated("x-"),
    "names of headers": _repeated("x-key"),
    "quotes": _repeated('"'),
    "mixed quotes": _repeated("\"'`"),
    "spaces": _repeated(" "),
    "a name before spaces": _repeated("password" + " " * 50),
    "tabs and line ends": _repeated("password \t\r"),
    "commas": lambda length: "password=" + "," * (length - 9),
    "ampersands": lambda length: "password=" + "&a" * (length // 2 - 5),
    "base64 alphabet": _drawn("ABCDEFGHabcdefgh0123456789+/"),
    "words of base64": _repeated("Aa1Bb2Cc3Dd4Ee5F "),
    "lines of base64": _lines(_drawn("ABCDEFGHabcdefgh0123456789+/"), 64),
    "nested base64": _nested_base64,
    "addresses": _repeated("http://"),
    "addresses with passwords": _repeated("a://b:c@d "),
    "encoded addresses": _repeated("a%3A%2F%2Fb%3Ac"),
    "at signs": lambda length: "a://b:" + "@" * (length - 6),
    "many at signs": _repeated("a://b:@?@@@"),
    "brackets": _repeated("[{<("),
    "lists": _repeated('"keys":["'),
    "keys that do not end": _repeated("-----BEGIN RSA PRIVATE KEY-----\n"),
    "dashes": _repeated("-----BEGIN "),
    "nested json": lambda length: '{"a":' * (length // 5),
    "nested lists": lambda length: "[" * length,
    "entries": _repeated("name=a value=b "),
    "names without values": _repeated("name: a, "),
    "colons": _repeated("a:5432:b:"),
    "bytes in hexadecimal": _repeated("aa:bb:"),
    "percent signs": _repeated("%70"),
    "escapes": _repeated("\\u0070"),
    "entities": _repeated("&#112;"),
    "colours": _repeated("\x1b[1m"),
    "colours that do not end": _repeated("\x1b["),
    "titles that do not end": _repeated("\x1b]"),
    "tokens": _repeated("ghp_"),
    "points": _repeated("s."),
    "commands": _repeated("curl "),
    "options": _repeated("curl -u "),
    "redis": _repeated('AUTH "'),
    "elements": _repeated("<password "),
    "blocks": _repeated("password: |\n "),
    "short lines": _repeated("password=x\n"),
    "short lines that differ": _numbered("password=x{}\n"),
    "blocks that differ": _numbered("password{}: |\n  x\n"),
    "long blocks": _lines(_repeated("password: |\n" + "  x\n" * 20), 4_000),
    "empty lines": _repeated("\n"),
    "letters of other scripts": _repeated("пароль=Ж "),
    "dotted capital I": _repeated("\u0130password="),
    "emojis": _repeated("\U0001f680"),
    "marks beyond the first plane": _repeated("\U0001f680" + "\U0001e8d0" * 4),
    "words at random": lambda length: "".join(
        random.Random(SEED).choices(PIECES, k=length // 2)  # noqa: S311
    )[:length],
    "signs at random": _drawn("".join(map(chr, range(1, 128)))),
    "ordinary lines": _repeated(ORDINARY.format(1)),
    "ordinary lines that differ": _numbered(ORDINARY),
}
