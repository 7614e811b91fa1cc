"""Values files: read, checked for what YAML lets pass silently, and merged as Helm merges them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from vrooli.environments import Environment
from vrooli.errors import UsageError

Values = dict[str, Any]


def read(path: Path) -> Values:
    """The values of one file; an empty file holds none.

    Raises:
        UsageError: There is no such file, or it is no YAML mapping; says where in the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"The values file {path} can't be read: {error.strerror}.", "Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The values file {path} is not a text file in UTF-8.") from error
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise UsageError(
            f"The values file {path} is no valid YAML: {_format_position(error)}.",
            "Correct that line.",
        ) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UsageError(
            f"The values file {path} holds a {type(content).__name__}, not keys with values.",
            "Begin it like values.yaml of the chart.",
        )
    return content


def merge(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> Values:
    """Both, ``over`` winning; mappings are merged, everything else is replaced, as in Helm."""
    merged = dict(base)
    for key, value in overrides.items():
        existing = merged.get(key)
        both = isinstance(existing, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(existing, value) if both else value  # type: ignore[arg-type]
    return merged


def load(environment: Environment, extra: Iterable[Path] = ()) -> Values:
    """An environment's values, then each extra file over them.

    The chart's own defaults are not among them; Helm puts those below.

    Raises:
        UsageError: A file can't be read.
    """
    merged = read(environment.values_file)
    for path in extra:
        merged = merge(merged, read(path))
    return merged


def _format_position(error: YAMLError) -> str:
    """What is wrong, and in which line, without the text of the file."""
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return str(error)
    mark = error.problem_mark
    problem = str(error.problem).splitlines()[0]
    if isinstance(error, DuplicateKeyError):
        # Its message goes on with the key's two values.
        problem = problem.partition(" with value")[0]
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
