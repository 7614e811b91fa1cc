"""Which names denote a secret, and which values are never secrets.

No I/O here.
"""

from __future__ import annotations

import re

MASK = "(masked)"

# Names of secrets: in settings, JSON, YAML, command lines and URL queries.
WORDS = (
    r"password|passwd|passphrase|secret|token|credential|cookie|verifier|jwt|bearer|signature|"
    r"requirepass|masterauth|(?:api|access|private|signing|encryption|client|master|account|"
    r"shared)[ _-]?key|[_-](?:pwd|pass)(?![a-z])|_auth(?![a-z])|\bauth(?=\W*[:=])"
)
_SECRET = re.compile(WORDS, re.IGNORECASE)
# Names of headers: everything that follows them is secret, spaces included.
HEADERS = r"(?:proxy-)?authorization|(?:set-)?cookie|x-[a-z-]*(?:token|key|auth|secret)"
_HEADER = re.compile(HEADERS, re.IGNORECASE)
# Names of a secret's location, name or status, whose values are not secrets.
_METADATA = re.compile(
    r"""(?ix) .* (?: names? | refs? | paths? | files? | dirs? | folder | selector | namespace | type
    | kind | versions? | counts? | size | lengths? | ttl | seconds | age | expir\w* | polic(?:y|ies)
    | mounts? | roles? | stores? | providers? | class | labels? | sync(?:ed)? | errors?
    | exceptions? | failed
    | controllers? | reconcilers? | operators? | manager | targets? | ur[il]s? | endpoints?
    | hosts? | ports? | period | lifetime | duration | after | interval | enabled | required
    | reviews? | requests? | projections? | volumes? | algorithm | cache | engine | source
    | generator | rotation | rotated | owner )
    | (?: .*[./_-] )? vault (?:static|dynamic|pki)? secrets? | automountserviceaccounttoken
    | existing\w*secret | .*pull[_-]?secrets?"""
)
# Values that are not secrets: booleans, small numbers, references, masked values.
_PLAIN = re.compile(
    r"""(?ix) true | false | null | none | nil | yes | no | on | off | unset | -?\d{1,5}[smhd]?
    | \$\(.*\) | \$\{.*\} | (?-i: \$[A-Z][A-Z_]{3}[A-Z0-9_]* ) | \{\{.*\}\} | <[^>]*> | \*+
    | (?-i: \(masked\).* ) | [\[{(|>-]* """
)
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


def names_secret(name: str) -> bool:
    """Whether a name denotes a secret."""
    text = name.strip()
    return bool(
        (_SECRET.search(text) or _HEADER.fullmatch(text) or text.lower() in ("auth", "pass"))
        and not _METADATA.fullmatch(text)
    )


def is_plain(value: str, *, partial: bool = False) -> bool:
    """Whether a value, or with ``partial`` the beginning of one, is certainly not a secret."""
    text = value.strip()
    return bool(_PLAIN.fullmatch(text) or (partial and _PARTIAL_REFERENCE.fullmatch(text)))


def is_prose(value: str) -> bool:
    """Whether the text after a name continues a sentence."""
    return _PROSE.match(value) is not None
