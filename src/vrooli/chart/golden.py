"""Golden files: the saved output of the chart, so that every change of it is reviewed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from vrooli import project
from vrooli.chart import engine, values, yaml_text
from vrooli.chart.manifest import Manifest
from vrooli.environments import ENVIRONMENTS, Environment

# The chart with its default values only.
DEFAULT = Environment("default", "vrooli", "vrooli")
ENVIRONMENT_CASES = {"default": DEFAULT, **ENVIRONMENTS}
# The optional features; each has a values file in tests/features/.
FEATURES = (
    "autoscaling",
    "cloud-backups",
    "existing-secrets",
    "external-databases",
    "gateway",
    "gpu",
    "keda",
    "monitoring",
    "network-policies",
    "s3-backups",
    "scheduling",
)
# The values file of Vrooli's own images.
VROOLI = "vrooli"
CASES = (*ENVIRONMENT_CASES, *FEATURES, VROOLI)


def folder() -> Path:
    """The folder of the golden files."""
    return project.chart_dir() / "tests" / "golden"


def settings(case: str) -> values.Values:
    """The values of a case, which override the chart's own."""
    if case in FEATURES:
        return values.read(project.chart_dir() / "tests" / "features" / f"{case}.yaml")
    if case == VROOLI:
        return values.read(project.chart_dir() / "values-vrooli.yaml")
    return {} if case == DEFAULT.name else values.load(ENVIRONMENTS[case])


def render(case: str) -> str:
    """The current output of the chart for a case, in the format of a golden file.

    An environment's file contains all objects. A feature's file contains only those that the
    feature adds, changes or removes, so that it stays short.
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
    """The diff between the golden file and the current output; empty if they are equal."""
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
    """Write the current output into the golden file; returns whether that changed it."""
    path = folder() / f"{case}.yaml"
    text = render(case)
    if path.exists() and path.read_text() == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return True


def write(manifests: Iterable[Manifest]) -> str:
    """Manifests as one YAML text, each below the path of its template."""
    return "".join(
        f"---\n# {manifest.source}: {manifest.key}\n" + yaml_text.dump(manifest.body)
        for manifest in manifests
    )
