"""Values files: reads them, rejects what YAML parsers accept silently, and merges them like Helm.

For example, a duplicate key is an error here.
"""

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
    """The values of one file; an empty file has none.

    Raises:
        UsageError: The file does not exist, or is not a YAML mapping; the message has the position.
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
            f"The values file {path} is not valid YAML: {_format_position(error)}.",
            "Correct that line.",
        ) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UsageError(
            f"The values file {path} contains a {type(content).__name__}, not a mapping.",
            "Use the structure of the chart's values.yaml.",
        )
    return content


def merge(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> Values:
    """Merge two values; ``overrides`` takes precedence. Only mappings are merged, as in Helm."""
    merged = dict(base)
    for key, value in overrides.items():
        existing = merged.get(key)
        both = isinstance(existing, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(existing, value) if both else value  # type: ignore[arg-type]
    return merged


def load(environment: Environment, extra: Iterable[Path] = ()) -> Values:
    """An environment's values, overridden by each extra file in order.

    The chart's own defaults are not included; Helm adds them.

    Raises:
        UsageError: A file cannot be read.
    """
    merged = read(environment.values_file)
    for path in extra:
        merged = merge(merged, read(path))
    return merged


def _format_position(error: YAMLError) -> str:
    """The problem and its position, without the file's text, which may contain secrets."""
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return str(error)
    mark = error.problem_mark
    problem = str(error.problem).splitlines()[0]
    if isinstance(error, DuplicateKeyError):
        # The message continues with the two values of the key.
        problem = problem.partition(" with value")[0]
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}"
