"""The version of PostgreSQL that `develop` runs: one that the operator of the cluster has."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vrooli import operators
from vrooli.chart import engine
from vrooli.chart import values as chart_values
from vrooli.chart.values import Values
from vrooli.kube import Kube
from vrooli.kube.objects import number, text
from vrooli.operators.installation.install import find_deployment
from vrooli.operators.pgo import images

SECTION, KEY = "pgoPostgresql", "postgresVersion"


async def local_values(kube: Kube, values: Values, files: Iterable[Path]) -> Values:
    """The version to run if the operator of the cluster has no image of the environment's version.

    A version in one of the user's files is never replaced, nor is one whose image is given: the
    check `postgres-images` rejects it if it cannot run.

    Args:
        kube: The cluster, with the operator installed.
        values: The values so far, without the chart's own defaults.
        files: The user's values files.

    Raises:
        UsageError: A file cannot be read.
    """
    if any(KEY in (chart_values.read(file).get(SECTION) or {}) for file in files):
        return {}
    values = chart_values.merge(engine.defaults(), values)
    deployment = await find_deployment(operators.PGO, kube)
    if deployment is None or text(values, SECTION, "image"):
        return {}
    requested = number(values, SECTION, KEY)
    version = images.select_version(requested, images.offered_images(deployment))
    return {} if version == requested else {SECTION: {KEY: version}}
