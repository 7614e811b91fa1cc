"""Masks known secret values, and text that looks like a secret, in texts, lines and structures.

No I/O here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from vrooli.redaction import candidates, plain_text, shapes
from vrooli.redaction.candidates import Candidates
from vrooli.redaction.examination import Examination, work_limit
from vrooli.redaction.known import KnownValues
from vrooli.redaction.names import MASK, is_plain, names_secret
from vrooli.redaction.shapes import Hit
from vrooli.redaction.values import secret_values

# Texts up to this length are cached, since objects repeat them: kinds, states, names.
_SHORT, _REMEMBERED = 200, 20_000
# Longer lines are cut, characters. The kubelet splits lines at a quarter of it.
LONGEST_LINE = 65_536
# The part before the cut that is examined but not shown: a secret may be cut there.
_MARGIN = 4_096
# Deeper structures are masked: each level takes frames of Python's stack.
_DEEPEST = 100
_TOO_DEEP = f"{MASK} (nested too deeply)"
# An option of a command line; if it names a secret, the next word is the secret.
_FLAG = re.compile(r"--?[\w-]+")
# A program, an option and its value.
_SHORTEST_COMMAND = 3
# Smaller numbers under the name of a secret are amounts; a larger one may be the secret.
_LEAST_NUMBER = 1_000
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")
_KEY_ENDS = "-----END "
# The maximum number of lines of a private key whose end is missing.
_KEY_LINES = 120


class Redactor:
    """Masks the values of a set of Secrets."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._known = KnownValues(values)
        self._short = lru_cache(_REMEMBERED)(self._masked_or_removed)

    @classmethod
    def of(cls, secrets: Iterable[Mapping[str, Any]]) -> Redactor:
        """A redactor of every secret value of these Secret objects."""
        return cls(secret_values(secrets))

    def forget(self) -> None:
        """Forget the short texts that were masked before."""
        self._short.cache_clear()

    def text(self, text: str) -> str:
        """The text with secrets masked."""
        return self._short(text) if len(text) <= _SHORT else self._masked_or_removed(text)

    def lines(self, lines: Sequence[str]) -> list[str]:
        """The lines of one log with secrets masked, also those that span several lines."""
        # Logs may consist of empty lines; they have nothing to mask.
        filled = [line for line in lines if line]
        masked = self._filled_lines(filled)
        if len(filled) == len(lines):
            return masked
        following = iter(masked)
        return [next(following) if line else line for line in lines]

    def _filled_lines(self, lines: Sequence[str]) -> list[str]:
        """The lines with secrets masked; none is empty.

        All lines are searched at once for what may be a secret, and only lines with something are
        examined. That work is limited; further ones are masked as a whole.
        """
        masked = self.mask_split_values(lines)
        limit = work_limit(masked)
        try:
            found = candidates.find(masked, self._known, limit)
        except Exception:  # noqa: BLE001 - a reader of hostile text must not fail
            found = Candidates(dict.fromkeys(masked, "whole"))
        masking = Lines(self)
        examination = Examination(found, limit, self.text, self._masked_at)
        for number, line in enumerate(masked):
            kind = found.kinds.get(line)
            if kind == "whole" or masking.is_in_key:
                masked[number] = masking.next(line, examination.examine)
            elif kind == "excess" and examination.is_over:
                masked[number] = MASK
            elif kind:
                masked[number] = examination.examine(line)
        return masked

    def _masked_at(self, line: str, hits: Sequence[Hit]) -> str:
        """A line that has only words that may mark a secret."""
        try:
            return shapes.replace(line, shapes.at_words(line, hits))
        except Exception:  # noqa: BLE001 - it fails again, and is reported
            return self.text(line)

    def mask_split_values(self, lines: Sequence[str]) -> list[str]:
        """Mask only known values that are split by the ends of lines."""
        parts: dict[int, list[tuple[int, int]]] = {}
        for number, begin, end in self._known.in_lines(lines):
            parts.setdefault(number, []).append((begin, end))
        masked = list(lines)
        for number, spans in parts.items():
            masked[number] = shapes.replace(lines[number], spans)
        return masked

    def tree(self, value: Any) -> Any:
        """A structure of mappings and lists with the secrets in every text masked."""
        return self._tree(value, 0)

    def _tree(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._leaf(value, depth)
        if not isinstance(value, (Mapping, list, tuple)):
            return value
        if depth == _DEEPEST:
            return _TOO_DEEP
        if isinstance(value, Mapping):
            return self._mapping(value, depth + 1)
        return self._list(value, depth + 1)

    def _masked_or_removed(self, text: str) -> str:
        """The masked text; on an internal error nothing of it remains."""
        try:
            return self._masked(text)
        except Exception as error:  # noqa: BLE001 - a reader of hostile text must not fail
            return f"{MASK} (redaction failed: {type(error).__name__})"

    def _masked(self, text: str) -> str:
        if "\n" in text:
            lines = self.mask_split_values(text.split("\n"))
            if len(text) > LONGEST_LINE and max(map(len, lines)) > LONGEST_LINE:
                lines = list(map(self._shortened, lines))
            text = "\n".join(lines)
        elif len(text) > LONGEST_LINE:
            return self._masked_beginning(text)
        # Known values first: one may itself contain an escape, and a longer run around one would be
        # masked with it.
        text = self._without_known(text)
        plain = plain_text.plain(text)
        if plain != text and (masked := _without_shapes(self._without_known(plain))) != plain:
            return masked
        return _without_shapes(text)

    def _masked_beginning(self, line: str) -> str:
        """The masked beginning of a line that is too long, and how much is missing."""
        beginning = self._masked(line[:LONGEST_LINE])[:-_MARGIN]
        missing = len(line) - LONGEST_LINE + _MARGIN
        return f"{beginning} {MASK} ({missing} more characters)"

    def _shortened(self, line: str) -> str:
        return line if len(line) <= LONGEST_LINE else self._masked_beginning(line)

    def _without_known(self, text: str) -> str:
        return shapes.replace(text, self._known.spans(text))

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        name_field = value.get("name", value.get("key"))
        is_secret_entry = isinstance(name_field, str) and names_secret(name_field)
        masked = {}
        for key, inner in value.items():
            name = str(key)
            is_secret = names_secret(name) or (is_secret_entry and name == "value")
            if is_secret and isinstance(inner, (str, list, tuple)):
                masked[self.text(name)] = self._mask_value(inner, depth)
            elif is_secret and type(inner) in (int, float) and abs(inner) >= _LEAST_NUMBER:
                masked[self.text(name)] = MASK
            elif name == "value" and isinstance(inner, str) and shapes.is_random(inner):
                masked[name] = MASK
            else:
                masked[self.text(name)] = self._tree(inner, depth)
        return masked

    def _mask_value(self, value: Any, depth: int) -> Any:
        """The masked value of a key that names a secret."""
        if isinstance(value, str):
            return value if is_plain(value) else MASK
        return [
            self._mask_value(inner, depth) if isinstance(inner, str) else self._tree(inner, depth)
            for inner in value
        ]

    def _list(self, value: Sequence[Any], depth: int) -> list[Any]:
        masked: list[Any] = []
        is_secret_next = False
        for inner in value:
            is_text = isinstance(inner, str)
            masked.append(MASK if is_secret_next and is_text else self._tree(inner, depth))
            is_secret_next = is_text and _FLAG.fullmatch(inner) is not None and names_secret(inner)
        return self._arguments(masked)

    def _arguments(self, value: list[Any]) -> list[Any]:
        """A list that may be a command, whose options mean secrets only together with its name."""
        if len(value) < _SHORTEST_COMMAND or not all(isinstance(inner, str) for inner in value):
            return value
        text = json.dumps(value, ensure_ascii=False)
        masked = self.text(text)
        if masked == text:
            return value
        try:
            result = json.loads(masked)
        except ValueError:
            return [MASK] * len(value)
        return result if isinstance(result, list) else [MASK] * len(value)

    def _leaf(self, text: str, depth: int) -> str:
        """A masked text; it may itself be a structure, such as an annotation in JSON."""
        if text[:1] in ("{", "[") and len(text) > 1 and depth < _DEEPEST:
            try:
                inner = json.loads(text)
            except (ValueError, RecursionError):
                return self.text(text)
            if isinstance(inner, (dict, list)):
                masked = self._tree(inner, depth)
                # Mask it again as a text: a secret may span several of its values.
                return self.text(text if masked == inner else json.dumps(masked))
        return self.text(text)


def _without_shapes(text: str) -> str:
    return shapes.replace(text, shapes.find(text))


class Lines:
    """Masks the lines of a log one by one, with the state of the lines before."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor, self._remaining_key_lines = redactor, 0

    def use(self, redactor: Redactor) -> None:
        """Mask the next lines with another redactor."""
        self._redactor = redactor

    @property
    def is_in_key(self) -> bool:
        """Whether the next line is part of a private key."""
        return self._remaining_key_lines > 0

    def next(self, line: str, mask: Callable[[str], str] | None = None) -> str:
        """The next line with secrets masked; empty lines need not be passed.

        Args:
            line: The line.
            mask: What masks a text; None takes the redactor.
        """
        mask = mask or self._redactor.text
        if self._remaining_key_lines:
            self._remaining_key_lines = 0 if _KEY_ENDS in line else self._remaining_key_lines - 1
            # Only the last word belongs to the key: it follows the prefix of the log line.
            before, _, last = line.rpartition(" ")
            if last and _KEY_ENDS not in line:
                return f"{mask(before)} {MASK}".lstrip()
            return mask(line)
        begins = _KEY_BEGINS.search(line)
        if begins and _KEY_ENDS not in line[begins.start() :]:
            self._remaining_key_lines = _KEY_LINES
        return mask(line)
