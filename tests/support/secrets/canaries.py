"""Secrets that are planted in every shape that real ones take, to be found nowhere afterwards.

Each is of letters and digits that no program writes by itself, so that any part of it tells.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

# How many letters of a secret tell it: fewer stand in other words by chance.
MIN_DIGITS = 9


@dataclass(frozen=True)
class Canary:
    """A secret, and the text that it is planted in.

    Attributes:
        shape: Which of the shapes.
        secret: The secret itself.
        text: What stands in a log, an annotation, an event, an argument, a ConfigMap.
        known: Whether the release's namespace has a Secret that holds it: nothing else tells it.
    """

    shape: str
    secret: str
    text: str
    known: bool


def drawn(seed: str, length: int = 20, more: str = "") -> str:
    """A secret that is the same in every run, and that nothing else holds."""
    digest = hashlib.sha256(f"canary {seed}".encode()).digest()
    letters = re.sub("[^A-Za-z0-9]", "", base64.b64encode(digest * 4).decode())
    return f"{letters[: length - len(more)]}{more}"


def encoded(text: str) -> str:
    """In base64."""
    return base64.b64encode(text.encode()).decode()


def _token(secret: str) -> str:
    """A service account's token as Kubernetes makes them, with the secret in its claims."""
    parts = ({"alg": "RS256", "kid": "k"}, {"sub": "system:serviceaccount:dev:x", "jti": secret})
    begin = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    ]
    return ".".join([*begin, secret * 4])


def _key(secret: str) -> str:
    body = encoded(secret * 9)
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----"


# What a Secret of the namespace holds, spelt in ways that say nothing of what it is.
IN_SECRETS: dict[str, Callable[[str], str]] = {
    "plain": lambda it: f"opened the session with {it} for bob",
    "base64": lambda it: f"payload {encoded(it)} was sent",
    "base64 inside a longer text": lambda it: f"payload {encoded(f'u:{it}:x')} was sent",
    "base64 of base64": lambda it: f"payload {encoded(encoded(it))} was sent",
    "url-encoded": lambda it: f"GET /login?u=bob&v={quote(it + '/+', safe='')}&w=1",
    "json": lambda it: json.dumps({"level": "info", "said": f"it is {it}"}),
    "json in json": lambda it: json.dumps({"body": json.dumps({"said": it, "n": 1})}),
    "over two lines of a log": lambda it: f"{it[:9]}\n{it[9:]}",
    "hexadecimal": lambda it: f"dump {it.encode().hex()} end",
}
# What nobody has told of, in shapes that say what they are.
SHAPED: dict[str, Callable[[str], str]] = {
    "a named setting": lambda it: f"connects with host=db port=5432 password={it} timeout=3",
    "a named setting of JSON": lambda it: json.dumps({"user": "bob", "clientSecret": it}),
    "a named setting of JSON in JSON": lambda it: json.dumps(
        {"body": json.dumps({"user": "bob", "api_key": it})}
    ),
    "a line of YAML": lambda it: f"db:\n  user: bob\n  password: {it}\n  port: 5432",
    "an address": lambda it: f"can't reach redis://bob:{it}@redis.dev.svc:6379/0, tries again",
    "a query": lambda it: f"GET https://api.example.com/v1?user=bob&access_token={it}&page=2 401",
    "a header": lambda it: f"> Authorization: Bearer {it}",
    "basic authentication": lambda it: f"> Authorization: Basic {encoded(f'bob:{it}')}",
    "a cookie": lambda it: f"> Cookie: theme=dark; sid={it}; lang=en",
    "a token of Vault": lambda it: f"renews hvs.{it} for 3600 s",
    "an old token of Vault": lambda it: f"renews s.{it}{it[:4]} for 3600 s",
    "a token of a service account": lambda it: f"sends {_token(it)} to the API",
    "a key": _key,
    "docker's logins": lambda it: json.dumps(
        {"auths": {"r.example.com": {"username": "bob", "auth": encoded(f"bob:{it}")}}}
    ),
    "an argument": lambda it: f"runs tool --user bob --password {it} --host db",
    "an environment": lambda it: f"env: DB_USER=bob REDIS_PASSWORD={it} DB_HOST=vrooli-pg",
    "base64 of named settings": lambda it: f"body {encoded(json.dumps({'password': it}))}",
}


def canaries(each: int) -> Iterator[Canary]:
    """So many of each shape."""
    for defined, shapes in ((True, IN_SECRETS), (False, SHAPED)):
        for shape, spell in shapes.items():
            for number in range(each):
                secret = drawn(f"{shape} {number}")
                yield Canary(shape, secret, spell(secret), defined)


def settings(each: int) -> Iterator[Canary]:
    """Passwords of plain words, as in environments: neither a name nor a shape identifies them."""
    for number in range(each):
        letters = re.sub(r"\d", "", drawn(f"a plain setting {number}", 40)).lower()
        secret = " ".join(letters[at : at + 6] for at in (0, 6, 12))
        yield Canary("a plain setting", secret, secret, known=False)


def leaked(planted: Iterable[Canary], text: str) -> list[str]:
    """The shapes whose secrets, or a part of them, can still be read in a text."""
    items, readings = list(planted), _readings(text)
    # One pass over a text of megabytes, not one for each part of each secret.
    expected = {piece for item in items for piece in _pieces(item.secret)}
    expected |= {item.secret.encode().hex()[:MIN_DIGITS] for item in items}
    result = {piece for reading in readings for piece in expected.intersection(_pieces(reading))}
    return [f"{item.shape}: {item.secret}" for item in items if _reveals(item, result, readings)]


def _reveals(item: Canary, pieces: set[str], readings: list[str]) -> bool:
    if any(piece in pieces for piece in _pieces(item.secret)):
        return True
    hexadecimal = item.secret.encode().hex()
    return hexadecimal[:MIN_DIGITS] in pieces and any(
        hexadecimal in reading for reading in readings
    )


def _pieces(text: str) -> Iterator[str]:
    ends = range(MIN_DIGITS, len(text) + 1)
    return map(text.__getitem__, map(slice, range(len(text)), ends))


def _readings(text: str) -> list[str]:
    """The text, and what can be read out of it: without escapes, and out of base64, twice."""
    plain = unquote(text).replace("\\", "")
    result = [text, plain]
    for _ in range(2):
        result += [_from_base64(result[-1])]
    return result


def _from_base64(text: str) -> str:
    output = []
    for run in re.findall(r"[A-Za-z0-9+/_-]{12,}", text):
        standard = run.translate(str.maketrans("-_", "+/"))
        for begin in range(4):
            part = standard[begin:]
            part = part[: len(part) - len(part) % 4]
            output.append(base64.b64decode(part).decode("latin-1"))
    return "\n".join(output)
