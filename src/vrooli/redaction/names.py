"""Which names denote a secret, and which values are never secrets.

No I/O here.
"""

from __future__ import annotations

import re
from functools import lru_cache

MASK = "(masked)"

# Words in the names of secrets: in settings, JSON, YAML, command lines and URL queries.
PLAIN_WORDS = (
    *("password", "passwd", "passphrase", "passcode", "secret", "token", "credential", "cookie"),
    *("verifier", "jwt", "bearer", "signature", "requirepass", "masterauth"),
)
# Words that denote a secret before "key".
KEY_KINDS = (
    *("api", "access", "private", "signing", "encryption", "client", "master", "account"),
    *("shared", "unseal", "recovery", "storage", "subscription", "license"),
)
# The first of these denote one also when letters follow "key".
_COMPOUND = 9
# The end of a longer name decides.
LONGEST_NAME = 160
# In lower case: a pattern without regard to case takes many times as long. Each alternative begins
# with literal text for the same reason.
_SECRET = re.compile(
    "|".join(
        (
            *PLAIN_WORDS,
            *(f"{kind}[ _-]?keys?(?![a-z])" for kind in KEY_KINDS),
            *(f"{kind}[ _-]?key" for kind in KEY_KINDS[:_COMPOUND]),
            *(f"{sign}(?:pwd|pass|pw)(?![a-z])" for sign in "_-"),
            "_auth(?![a-z])",
        )
    )
)
_CAPITALIZED = re.compile(r"[a-z](?:Pass|Pwd|Pw)(?![a-z])")
# Letters that are others of ASCII without regard to case.
_AS_ASCII = str.maketrans("\u0130\u0131\u017f", "iis")
# Names that denote a secret only as a whole; "PWD" is the working directory.
_WHOLE = frozenset(("auth", "pass", "pw", "sig", "pwd", "psw", "pswd", "_auth", "_password"))
# Names of headers: everything that follows them is secret, spaces included.
_HEADER = re.compile(
    r"(?i)(?:proxy-)?authorization|(?:set-)?cookie|x-[a-z-]*(?:token|key|auth|secret)"
)
# Ends of the names of a secret's location, name or status, whose values are not secrets.
_METADATA_ENDS = (
    *("name", "names", "ref", "refs", "path", "paths", "file", "files", "dir", "dirs", "folder"),
    *("selector", "namespace", "type", "kind", "version", "versions", "count", "counts", "size"),
    *("length", "lengths", "ttl", "seconds", "age", "expiry", "policy", "policies", "mount"),
    *("mounts", "role", "roles", "store", "stores", "provider", "providers", "class", "label"),
    *("labels", "sync", "synced", "error", "errors", "exception", "exceptions", "failed"),
    *("controller", "controllers", "reconciler", "reconcilers", "operator", "operators"),
    *("manager", "target", "targets", "uri", "uris", "url", "urls", "endpoint", "endpoints"),
    *("host", "hosts", "port", "ports", "period", "lifetime", "duration", "after", "interval"),
    *("enabled", "required", "review", "reviews", "request", "requests", "projection"),
    *("projections", "volume", "volumes", "algorithm", "cache", "engine", "source", "generator"),
    *("rotation", "rotated", "owner", "pullsecret", "pullsecrets", "pull_secret", "pull_secrets"),
    *("pull-secret", "pull-secrets", "automountserviceaccounttoken"),
)
_METADATA = re.compile(
    r"expir\w*\Z|\.(?:py|go|rs|js|ts|sh|c|ya?ml|json)\Z|(?:\A|[./_-])vault(?:static|dynamic|pki)?secrets?\Z|\Aexisting\w*secret\Z"
)
# Values that are not secrets: booleans, small numbers, references, masked values.
_PLAIN = re.compile(
    r"""(?ix) true | false | null | none | nil | yes | no | on | off | unset | -?\d{1,5}[smhd]?
    | \$\(.*\) | \$\{.*\} | (?-i: \$[A-Z][A-Z_]{3}[A-Z0-9_]* ) | \{\{.*\}\} | <[^>]*> | \*+
    | (?-i: \(masked\).* ) | [\[{(|>-]* """
)
# A longer text is never a reference.
_LONGEST_PLAIN = 300
# Without quotes, only the first word of a reference is matched as the value.
_PARTIAL_REFERENCE = re.compile(r"\$[({].* | \{\{.*", re.VERBOSE)
# Words that continue a sentence in logs and messages: "token: expired", "secret: not found".
_PROSE = re.compile(
    r"""(?ix) (?: not | no | is | are | was | has | must | can't | cannot | could
    | couldn't | failed | failure
    | invalid | expired | missing | required | denied | unauthorized | wrong | empty
    | unknown | incorrect | permission | forbidden | error | the | this | it | unable | timed
    | timeout | context | rpc | exit | unexpected | already | reading
    | updating | creating | secrets? | access | token | password ) \b"""
)


@lru_cache(4096)
def names_secret(name: str) -> bool:
    """Whether a name denotes a secret."""
    text = name.strip()[-LONGEST_NAME:]
    lower = text.lower()
    is_whole = lower in _WHOLE and text != "PWD"
    if not (
        is_whole
        or _SECRET.search(text.translate(_AS_ASCII).lower())
        or _CAPITALIZED.search(text)
        or _HEADER.fullmatch(text)
    ):
        return False
    return not (lower.endswith(_METADATA_ENDS) or _METADATA.search(lower))


def is_header(name: str) -> bool:
    """Whether a name is that of a header whose whole value is secret."""
    return len(name) <= LONGEST_NAME and _HEADER.fullmatch(name) is not None


def is_plain(value: str, *, partial: bool = False) -> bool:
    """Whether a value, or with ``partial`` the beginning of one, is certainly not a secret."""
    text = value.strip()
    if text.startswith(MASK):
        return True
    if len(text) > _LONGEST_PLAIN:
        return False
    return bool(_PLAIN.fullmatch(text) or (partial and _PARTIAL_REFERENCE.fullmatch(text)))


def is_prose(value: str) -> bool:
    """Whether the text after a name continues a sentence."""
    return _PROSE.match(value) is not None
