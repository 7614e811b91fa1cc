"""Values files: read by Helm's own reader, so that a value means here what it means in Helm.

What Helm accepts but changes silently, such as a duplicate key, is an error here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import helm_python

from vrooli.chart import values_source
from vrooli.chart.values_source import Problem, ValuesSource, ValuesSyntaxError
from vrooli.environments import Environment
from vrooli.errors import UsageError

Values = dict[str, Any]


def read(path: Path) -> Values:
    """The values of one file; an empty file has none.

    Raises:
        UsageError: The file does not exist, or is not a YAML mapping, or Helm would change a value
            silently; the message has the key and the position.
    """
    values, duplicates = read_with_duplicates(path)
    for problem in duplicates:
        raise _problem_error(path, problem)
    return values


def read_with_duplicates(path: Path) -> tuple[Values, tuple[Problem, ...]]:
    """Like `read`, but a key may occur twice: the last one applies, as in Helm.

    Returns:
        The values, and a problem for each such key.

    Raises:
        UsageError: As for `read`, except for such keys.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(
            f"The values file {path} cannot be read: {error.strerror}.", "Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The values file {path} is not a text file in UTF-8.") from error
    try:
        source = values_source.parse(text)
    except ValuesSyntaxError as error:
        raise UsageError(
            f"The values file {path} is not valid YAML: {error}.", "Correct that line."
        ) from error
    if source.kind not in ("mapping", "null"):
        raise UsageError(
            f"The values file {path} contains a {source.kind}, not a mapping.",
            "Use the structure of the chart's values.yaml.",
        )
    problems = tuple(source.problems())
    for problem in problems:
        if not problem.duplicate:
            raise _problem_error(path, problem)
    return _parse(text, path, source), problems


def _problem_error(path: Path, problem: Problem) -> UsageError:
    return UsageError(f"The values file {path} is not valid: {problem.text}.", problem.advice)


def _parse(text: str, path: Path, source: ValuesSource) -> Values:
    try:
        return helm_python.values_from_yaml(text)
    except helm_python.HelmError as error:
        # Helm's message may quote the file's text, which may contain secrets.
        line = source.refused_line(error.detail)
        raise UsageError(
            f"Helm cannot read the values file {path}{line}.", "Correct that line."
        ) from error


def merge(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> Values:
    """Merge two values; ``overrides`` takes precedence. Only mappings are merged, as in Helm.

    ``None`` stays: it removes the chart's default when Helm adds the defaults.
    """
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
    return read_all((environment.values_file, *extra))


def read_all(paths: Iterable[Path]) -> Values:
    """The values of several files; each file overrides the previous ones.

    Raises:
        UsageError: A file cannot be read.
    """
    merged: Values = {}
    for path in paths:
        merged = merge(merged, read(path))
    return merged
