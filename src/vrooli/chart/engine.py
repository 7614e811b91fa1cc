"""Render, lint and package the chart with Helm's own engine, in this process."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import helm_python

from vrooli import project
from vrooli.chart import manifest
from vrooli.chart.manifest import Manifest
from vrooli.errors import UsageError, VrooliError

# A line such as "- at '/services/ui': additional properties 'prot' not allowed", and the lines that
# only introduce others.
_SCHEMA_ERROR = re.compile(r"[\s-]*at '(?P<pointer>.*?)': (?P<text>.*)")
_SUMMARIES = ("validation failed", "'allOf' failed", "'anyOf' failed", "'oneOf' failed")

# The renderings to keep: those of the files' values, of a release, and of another environment.
MAX_KEPT = 4


class Severity(IntEnum):
    """The severity of a lint message, in Helm's numbers."""

    UNKNOWN = 0
    INFO = 1
    WARNING = 2
    ERROR = 3


@dataclass(frozen=True)
class LintMessage:
    """One message of Helm's lint about the chart."""

    severity: Severity
    path: str
    text: str


@dataclass(frozen=True)
class ValueProblem:
    """A value that the chart rejects.

    Attributes:
        path: Its keys; empty if a template rejects the values.
        text: The problem in the words of Helm; it may quote the value.
    """

    path: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Rendering:
    """The rendered chart.

    Attributes:
        texts: The text of each template, by its path.
        namespace: The namespace of objects that do not set one.
    """

    texts: Mapping[str, str]
    namespace: str

    @cached_property
    def manifests(self) -> tuple[Manifest, ...]:
        """The objects, hooks included."""
        return tuple(
            item
            for path, text in sorted(self.texts.items())
            if path.endswith((".yaml", ".yml"))
            for item in manifest.parse(text, self.namespace, path.partition("/")[2])
        )


def render(
    values: Mapping[str, Any], *, release: str, namespace: str, chart: Path | None = None
) -> tuple[Manifest, ...]:
    """The objects of a release with these values, hooks included.

    Args:
        values: The values that override the chart's own.
        release: The release's name.
        namespace: The namespace of the release.
        chart: A chart's folder or package; by default the repository's chart.

    Raises:
        UsageError: The chart rejects the values; the message names the key.
    """
    return render_texts(values, release=release, namespace=namespace, chart=chart).manifests


def render_texts(
    values: Mapping[str, Any], *, release: str, namespace: str, chart: Path | None = None
) -> Rendering:
    """Like `render`, with the templates' texts.

    A command renders the same values more than once, so the last renderings are kept.

    Raises:
        UsageError: The chart rejects the values; the message names the key.
    """
    path = chart or project.chart_dir()
    return _render(path, _state(path), json.dumps(values), release, namespace)


def _state(chart: Path) -> tuple[tuple[str, int, int], ...]:
    """The size and the time of each file of a chart, by which a change is noticed."""
    files = (path for path in sorted((chart, *chart.rglob("*"))) if path.is_file())
    states = ((path, path.stat()) for path in files)
    return tuple((str(path), state.st_size, state.st_mtime_ns) for path, state in states)


@lru_cache(maxsize=MAX_KEPT)
def _render(chart: Path, state: object, values: str, release: str, namespace: str) -> Rendering:
    del state  # only distinguishes renderings
    try:
        with helm_python.Chart.load(chart) as loaded:
            texts = loaded.render(json.loads(values), name=release, namespace=namespace)
    except helm_python.HelmError as error:
        raise to_usage_error(error) from error
    return Rendering(texts, namespace)


def defaults() -> dict[str, Any]:
    """The values of the chart's own values file."""
    with helm_python.Chart.load(project.chart_dir()) as loaded:
        return dict(loaded.values)


def value_problems(values: Mapping[str, Any]) -> tuple[ValueProblem, ...]:
    """The values that the chart rejects, each with its key; none if it accepts all."""
    try:
        with helm_python.Chart.load(project.chart_dir()) as loaded:
            loaded.render(dict(values), name="vrooli", namespace="vrooli")
    except helm_python.HelmValuesError as error:
        matches = (_SCHEMA_ERROR.fullmatch(line) for line in error.detail.splitlines())
        return tuple(
            ValueProblem(_pointer(match["pointer"]), match["text"])
            for match in matches
            if match and not match["text"].endswith(_SUMMARIES)
        )
    except helm_python.HelmError as error:
        return (ValueProblem((), error.detail),)
    return ()


def _pointer(text: str) -> tuple[str, ...]:
    """The keys of a JSON pointer (RFC 6901)."""
    return tuple(key.replace("~1", "/").replace("~0", "~") for key in text.split("/")[1:])


def lint(values: Mapping[str, Any], chart: Path | None = None) -> tuple[LintMessage, ...]:
    """The messages of Helm's strict lint for the chart with these values."""
    report = helm_python.lint(chart or project.chart_dir(), dict(values), strict=True)
    return tuple(
        LintMessage(Severity(message["severity"]), message["path"], message["error"])
        for message in report["messages"]
    )


def package(
    destination: Path,
    *,
    version: str | None = None,
    app_version: str | None = None,
    chart: Path | None = None,
) -> Path:
    """Package the chart as a .tgz in a folder; returns its path.

    Raises:
        VrooliError: Helm failed.
    """
    destination.mkdir(parents=True, exist_ok=True)
    try:
        package_path = helm_python.package(
            chart or project.chart_dir(),
            destination=destination,
            version=version,
            app_version=app_version,
        )
    except helm_python.HelmError as error:
        raise VrooliError(
            f"The chart could not be packaged into {destination}: {error.detail}"
        ) from error
    return Path(package_path)


def package_identity(path: Path) -> tuple[str, str]:
    """The name and the version of a packaged chart.

    Raises:
        UsageError: It is not a chart's package.
    """
    try:
        with helm_python.Chart.load(path) as loaded:
            return loaded.name, loaded.version
    except helm_python.HelmError as error:
        raise to_usage_error(error) from error


def to_usage_error(error: helm_python.HelmError) -> UsageError:
    """Helm's error about a chart or its values, as a `UsageError`."""
    if isinstance(error, helm_python.HelmValuesError):
        # Lines such as "- at '/services/ui': additional properties 'prot' not allowed".
        errors = [line.strip(" -") for line in error.detail.splitlines() if " at '" in f" {line}"]
        problems = "; ".join(line for line in errors if not line.endswith("'allOf' failed"))
        return UsageError(
            f"The chart rejects these values: {problems or error.detail}.",
            "k8s/chart/values.yaml documents every value.",
        )
    return UsageError(f"The chart can't be rendered: {error.detail}")
