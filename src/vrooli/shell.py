"""Words of printed commands: names and fields of objects are written by others.

A function of this module stands around each such word. It checks the word against the characters
that its kind allows and quotes it. A word that is not valid is marked, and a finding does not show
a command with a marked word: see `reject`. No I/O here.
"""

from __future__ import annotations

import re
import shlex
from typing import Final

from vrooli import inert

# Characters for private use around a word that is not valid; no text of an API needs them.
_BEGIN, _END = "\ue000", "\ue001"
_MARKED = re.compile(f"{_BEGIN}([^{_BEGIN}{_END}]*){_END}")
_SPAN = re.compile("`[^`]*`")
_MARKS = str.maketrans({_BEGIN: "", _END: "", "`": "'"})
# A longer invalid word is truncated in the explanation, characters.
SHOWN = 60
# Names of objects and of labels. Source: RFC 1123, Kubernetes "Object Names and IDs".
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
# Names of RBAC objects are segments of a path, such as system:auth-delegator.
_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,252}")
_PATH = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_.-]+)*/?")
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")
_QUALIFIED = r"[A-Za-z0-9][A-Za-z0-9_./-]*"
_SELECTOR = re.compile(rf"{_QUALIFIED}(=[A-Za-z0-9_.-]*)?(,{_QUALIFIED}(=[A-Za-z0-9_.-]*)?)*")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")
_AMOUNT = re.compile(r"[0-9][0-9.]*[A-Za-z]*")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._/-]*)?")
_NAMES = re.compile(r"(\*|[A-Za-z0-9][A-Za-z0-9._-]*)(,(\*|[A-Za-z0-9][A-Za-z0-9._-]*))*")
_AUDIENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]*")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
# Kinds whose names are labels, and kinds whose names are segments of a path.
LABEL_KINDS: Final = ("namespace", "service")
SEGMENT_KINDS: Final = ("role", "rolebinding", "clusterrole", "clusterrolebinding")


def _word(value: object, pattern: re.Pattern[str]) -> str:
    text = str(value)
    if pattern.fullmatch(text):
        return shlex.quote(text)
    # A backtick of others would end the command in a text.
    return f"{_BEGIN}{text.translate(_MARKS)}{_END}"


def name(value: object, kind: str = "") -> str:
    """Return the name of an object of a kind: a DNS-1123 subdomain for most."""
    if kind.lower() in LABEL_KINDS:
        return label(value)
    return _word(value, _SEGMENT if kind.lower() in SEGMENT_KINDS else _NAME)


def label(value: object) -> str:
    """Return the name of a namespace, Service or container: a DNS-1123 label."""
    return _word(value, _LABEL)


def segment(value: object) -> str:
    """Return a word of letters, digits and `:._-`, such as a verb or a resource of an API."""
    return _word(value, _SEGMENT)


def path(value: object) -> str:
    """Return a path in Vault, or the group and version of an API."""
    return _word(value, _PATH)


def key(value: object) -> str:
    """Return the key of a Secret, a role or a policy."""
    return _word(value, _KEY)


def selector(value: object) -> str:
    """Return a label selector of equalities."""
    return _word(value, _SELECTOR)


def image(value: object) -> str:
    """Return the reference of an image."""
    return _word(value, _IMAGE)


def amount(value: object) -> str:
    """Return a number or a quantity."""
    return _word(value, _AMOUNT)


def address(value: object) -> str:
    """Return the address of a server."""
    return _word(value, _ADDRESS)


def names(value: object) -> str:
    """Return names or `*`, separated by commas."""
    return _word(value, _NAMES)


def audience(value: object) -> str:
    """Return the audience of a token: a name or an address."""
    return _word(value, _AUDIENCE)


def identifier(value: object) -> str:
    """Return an identifier of SQL for a quoted name (`"name"`) within a statement."""
    return _word(value, _IDENTIFIER)


def path_of_file(value: object) -> str:
    """Return the absolute path of a file or folder on this machine."""
    text = str(value)
    # A backtick would end the command in a text.
    return quote(text) if "`" not in text else _word(text, _LABEL)


def quote(value: str) -> str:
    """Quote a text as one word, such as JSON or SQL; control characters are not allowed."""
    return shlex.quote(value) if value.isprintable() else _word(value, _LABEL)


def reject(command: str, text: str) -> tuple[str, str]:
    """Return a command and a text; without the command and its copies if a word is not valid.

    Args:
        command: A command, or empty.
        text: The remediation; commands in it are in backticks.

    Returns:
        The command, or an empty text, and the remediation with the reason.
    """
    marked = _MARKED.findall(f"{command} {text}")
    if not marked and command.isprintable():
        return command, text
    text = _SPAN.sub(lambda span: "(no command)" if _BEGIN in span[0] else span[0], text)
    reason = (
        f"No command is shown: {_quoted(marked[0])} is not a valid name."
        if marked
        else "No command is shown: it contains control characters."
    )
    return "", " ".join(filter(None, (_MARKED.sub(lambda match: match[1], text), reason)))


def checked(text: str) -> str:
    """Return a text without the commands that have a word that is not valid."""
    return reject("", text)[1]


def _quoted(value: str) -> str:
    shown = inert.line(value)
    return f"“{shown[:SHOWN]}{'…' if len(shown) > SHOWN else ''}”"
