"""Masks known secret values, and text that looks like a secret, in texts, lines and structures.

No I/O here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from vrooli.redaction import shapes
from vrooli.redaction.names import MASK, is_plain, names_secret
from vrooli.redaction.values import MIN_LENGTH, secret_values, spellings

# Texts up to this length are cached, since objects repeat them: kinds, states, names.
_SHORT, _REMEMBERED = 200, 20_000
# An option of a command line; if it names a secret, the next word is the secret.
_FLAG = re.compile(r"--?[\w-]+")
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")
_KEY_ENDS = "-----END "
# The maximum number of lines of a private key whose end is missing.
_KEY_LINES = 120


class Redactor:
    """Masks the values of a set of Secrets."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        all_spellings = {text for value in values for text in spellings(value)}
        # By prefix, the longest first, since one value may be a part of another. To compile one
        # pattern of thousands of values would take a second.
        self._values_by_prefix: dict[str, list[str]] = {}
        for text in sorted(all_spellings, key=len, reverse=True):
            self._values_by_prefix.setdefault(text[:MIN_LENGTH], []).append(text)
        self._short = lru_cache(_REMEMBERED)(self._masked_or_removed)

    @classmethod
    def of(cls, secrets: Iterable[Mapping[str, Any]]) -> Redactor:
        """A redactor of every secret value of these Secret objects."""
        return cls(secret_values(secrets))

    def text(self, text: str) -> str:
        """The text with secrets masked."""
        return self._short(text) if len(text) <= _SHORT else self._masked_or_removed(text)

    def lines(self, lines: Sequence[str]) -> list[str]:
        """The lines of one log with secrets masked, also those that span several lines."""
        return list(self.stream(self.mask_split_values(lines)))

    def mask_split_values(self, lines: Sequence[str]) -> list[str]:
        """Mask only known values that are split by the ends of lines."""
        spans = list(self._spans("".join(lines)))
        if not spans:
            return list(lines)
        masked, start = [], 0
        for line in lines:
            end = start + len(line)
            # Values within one line are masked with all other spellings.
            parts = [
                (max(first, start) - start, min(last, end) - start)
                for first, last in spans
                if first < end and last > start and not (first >= start and last <= end)
            ]
            for first, last in reversed(parts):
                line = f"{line[:first]}{MASK}{line[last:]}"  # noqa: PLW2901 - built up
            masked.append(line)
            start = end
        return masked

    def stream(self, lines: Iterable[str]) -> Iterator[str]:
        """Mask lines one by one, also a key that spans several lines."""
        masking = Lines(self)
        return (masking.next(line) for line in lines)

    def tree(self, value: Any) -> Any:
        """A structure of mappings and lists with the secrets in every text masked."""
        if isinstance(value, str):
            return self._leaf(value)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, (list, tuple)):
            return self._list(value)
        return value

    def _masked_or_removed(self, text: str) -> str:
        """The masked text; on an internal error nothing of it remains."""
        try:
            return self._masked(text)
        except Exception as error:  # noqa: BLE001 - a reader of hostile text must not fail
            return f"{MASK} (redaction failed: {type(error).__name__})"

    def _masked(self, text: str) -> str:
        if "\n" in text:
            text = "\n".join(self.mask_split_values(text.split("\n")))
        return shapes.mask(self._mask_known(text))

    def _mask_known(self, text: str) -> str:
        masked, position = "", 0
        for first, last in self._spans(text):
            masked, position = f"{masked}{text[position:first]}{MASK}", last
        return masked + text[position:]

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """The spans of known values in a text, in order and without overlaps."""
        by_prefix, free = self._values_by_prefix, 0
        for at in range(len(text) - MIN_LENGTH + 1):
            if (candidates := by_prefix.get(text[at : at + MIN_LENGTH])) is not None and at >= free:
                match = next((value for value in candidates if text.startswith(value, at)), None)
                if match is not None:
                    free = at + len(match)
                    yield at, free

    def _mapping(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        name_field = value.get("name")
        is_secret_entry = isinstance(name_field, str) and names_secret(name_field)
        masked = {}
        for key, inner in value.items():
            name = str(key)
            if isinstance(inner, (str, list, tuple)) and (
                names_secret(name) or (is_secret_entry and name == "value")
            ):
                masked[self.text(name)] = self._mask_value(inner)
            elif name == "value" and isinstance(inner, str) and shapes.is_random(inner):
                masked[name] = MASK
            else:
                masked[self.text(name)] = self.tree(inner)
        return masked

    def _mask_value(self, value: Any) -> Any:
        """The masked value of a key that names a secret."""
        if isinstance(value, str):
            return value if is_plain(value) else MASK
        return [
            self._mask_value(inner) if isinstance(inner, str) else self.tree(inner)
            for inner in value
        ]

    def _list(self, value: Sequence[Any]) -> list[Any]:
        masked: list[Any] = []
        is_secret_next = False
        for inner in value:
            is_text = isinstance(inner, str)
            masked.append(MASK if is_secret_next and is_text else self.tree(inner))
            is_secret_next = is_text and _FLAG.fullmatch(inner) is not None and names_secret(inner)
        return masked

    def _leaf(self, text: str) -> str:
        """A masked text; it may itself be a structure, such as an annotation in JSON."""
        if text[:1] in ("{", "[") and len(text) > 1:
            try:
                inner = json.loads(text)
            except (ValueError, RecursionError):
                return self.text(text)
            if isinstance(inner, (dict, list)):
                masked = self.tree(inner)
                # Mask it again as a text: a secret may span several of its values.
                return self.text(text if masked == inner else json.dumps(masked))
        return self.text(text)


class Lines:
    """Masks the lines of a log one by one, with the state of the lines before."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor, self._remaining_key_lines = redactor, 0

    def next(self, line: str) -> str:
        """The next line with secrets masked."""
        if self._remaining_key_lines:
            self._remaining_key_lines = 0 if _KEY_ENDS in line else self._remaining_key_lines - 1
            # Only the last word belongs to the key: it follows the prefix of the log line.
            before, _, last = line.rpartition(" ")
            if last and _KEY_ENDS not in line:
                return f"{self._redactor.text(before)} {MASK}".lstrip()
            return self._redactor.text(line)
        begins = _KEY_BEGINS.search(line)
        if begins and _KEY_ENDS not in line[begins.start() :]:
            self._remaining_key_lines = _KEY_LINES
        return self._redactor.text(line)
