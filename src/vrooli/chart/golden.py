"""Golden files: what the chart renders, kept, so that each change of it is seen and meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from vrooli import project
from vrooli.chart import engine, values
from vrooli.chart.manifest import Manifest
from vrooli.environments import ENVIRONMENTS, Environment

# The chart with nothing but its own values.
DEFAULT = Environment("default", "vrooli", "vrooli")
ENVIRONMENT_CASES = {"default": DEFAULT, **ENVIRONMENTS}
# What can be switched on, each with values of its own in tests/features/.
FEATURES = (
    "autoscaling",
    "external-databases",
    "gpu",
    "monitoring",
    "network-policies",
    "s3-backups",
    "scheduling",
)
CASES = (*ENVIRONMENT_CASES, *FEATURES)


def folder() -> Path:
    """Where the golden files are."""
    return project.chart_dir() / "tests" / "golden"


def settings(case: str) -> values.Values:
    """A case's values, which override the chart's own."""
    if case in FEATURES:
        return values.read(project.chart_dir() / "tests" / "features" / f"{case}.yaml")
    return {} if case == DEFAULT.name else values.load(ENVIRONMENTS[case])


def render(case: str) -> str:
    """What the chart renders now for a case, as a golden file holds it.

    An environment's file holds all of it; a feature's file only what the feature adds, changes or
    takes away, so that each can be read at once.
    """
    manifests = _manifests(case)
    if case in ENVIRONMENT_CASES:
        return write(manifests)
    default = {manifest.key: manifest for manifest in _manifests(DEFAULT.name)}
    removed = default.keys() - {manifest.key for manifest in manifests}
    changed = [manifest for manifest in manifests if manifest != default.get(manifest.key)]
    return "".join(f"# gone: {key}\n" for key in sorted(removed)) + write(changed)


def _manifests(case: str) -> tuple[Manifest, ...]:
    environment = ENVIRONMENT_CASES.get(case, DEFAULT)
    return engine.render(
        settings(case), release=environment.release, namespace=environment.namespace
    )


def difference(case: str) -> str:
    """How what the chart renders now differs from the golden file; empty if it doesn't."""
    path = folder() / f"{case}.yaml"
    saved = path.read_text() if path.exists() else ""
    lines = difflib.unified_diff(
        saved.splitlines(),
        render(case).splitlines(),
        fromfile=f"golden/{case}.yaml",
        tofile="rendered now",
        n=5,
        lineterm="",
    )
    return "\n".join(lines)


def update(case: str) -> bool:
    """Make the golden file what the chart renders now; True if that changed it."""
    path = folder() / f"{case}.yaml"
    text = render(case)
    if path.exists() and path.read_text() == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return True


def write(manifests: Iterable[Manifest]) -> str:
    """Manifests as one YAML text, each below the template it came from."""
    return "".join(
        f"---\n# {manifest.source}: {manifest.key}\n"
        + yaml.dump(dict(manifest.body), Dumper=_Dumper, sort_keys=False, width=100)
        for manifest in manifests
    )


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _represent_text(dumper: _Dumper, value: str) -> Any:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", value, style="|" if "\n" in value else ""
    )


_Dumper.add_representer(str, _represent_text)
