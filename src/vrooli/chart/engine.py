"""Render, lint and package the chart with Helm's own engine, in this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import helm_python

from vrooli import project
from vrooli.chart import manifest
from vrooli.chart.manifest import Manifest
from vrooli.errors import UsageError, VrooliError


class Severity(IntEnum):
    """How grave a lint message is, in Helm's numbers."""

    UNKNOWN = 0
    INFO = 1
    WARNING = 2
    ERROR = 3


@dataclass(frozen=True)
class LintMessage:
    """One thing that Helm's lint says of the chart."""

    severity: Severity
    path: str
    text: str


@dataclass(frozen=True)
class Rendering:
    """What the chart renders to.

    Attributes:
        texts: Each template's text, by its path.
        namespace: The namespace of objects that name none.
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
    """The objects that a release with these values consists of, hooks included.

    Args:
        values: What overrides the chart's own values.
        release: The release's name.
        namespace: Where it would go.
        chart: A chart's folder or package; without it, the repository's chart.

    Raises:
        UsageError: The chart refuses the values; the message names the key.
    """
    return render_texts(values, release=release, namespace=namespace, chart=chart).manifests


def render_texts(
    values: Mapping[str, Any], *, release: str, namespace: str, chart: Path | None = None
) -> Rendering:
    """The same with the templates' texts.

    Raises:
        UsageError: The chart refuses the values; the message names the key.
    """
    try:
        with helm_python.Chart.load(chart or project.chart_dir()) as loaded:
            texts = loaded.render(dict(values), name=release, namespace=namespace)
    except helm_python.HelmError as error:
        raise to_usage_error(error) from error
    return Rendering(texts, namespace)


def lint(values: Mapping[str, Any], chart: Path | None = None) -> tuple[LintMessage, ...]:
    """What Helm's strict lint finds in the chart with these values."""
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
    """Put the chart into a .tgz in a folder; returns it.

    Raises:
        VrooliError: Helm could not.
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
        UsageError: It is none.
    """
    try:
        with helm_python.Chart.load(path) as loaded:
            return loaded.name, loaded.version
    except helm_python.HelmError as error:
        raise to_usage_error(error) from error


def to_usage_error(error: helm_python.HelmError) -> UsageError:
    """What Helm says against a chart or its values, as our error."""
    if isinstance(error, helm_python.HelmValuesError):
        # Lines such as "- at '/services/ui': additional properties 'prot' not allowed".
        errors = [line.strip(" -") for line in error.detail.splitlines() if " at '" in f" {line}"]
        problems = "; ".join(line for line in errors if not line.endswith("'allOf' failed"))
        return UsageError(
            f"The chart refuses these values: {problems or error.detail}.",
            "k8s/chart/values.yaml names every value with its meaning.",
        )
    return UsageError(f"The chart can't be rendered: {error.detail}")
