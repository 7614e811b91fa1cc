"""Find the releases of a cluster, and the name of a namespace's only one."""

from __future__ import annotations

import asyncio

from vrooli.errors import VrooliError
from vrooli.kube import Kube
from vrooli.kube.common_labels import INSTANCE, PART_OF
from vrooli.kube.objects import labels, text
from vrooli.release.records import storage

# The chart of the releases to find.
CHART = "vrooli"
# Each release of the chart has a ConfigMap with these labels, whoever installed it: Helm, or a
# program that applies the rendered chart and leaves no record of Helm's.
PART = f"{PART_OF}=vrooli"
SECRET = ("v1", "Secret")
# In a slow cluster the expected name is used, seconds.
TIMEOUT_S = 3.0


async def find_releases(kube: Kube) -> list[tuple[str, str]]:
    """The namespace and the name of each release of the chart in a cluster.

    Raises:
        VrooliError: They cannot be listed.
    """
    bodies = await kube.list("v1", "ConfigMap", None, PART, names_only=True)
    return sorted(
        {
            (text(body, "metadata", "namespace"), labels(body)[INSTANCE])
            for body in bodies
            if INSTANCE in labels(body)
        }
    )


async def find_only_release(kube: Kube, namespace: str) -> str | None:
    """Find the name of the one release of the chart in a namespace.

    Returns:
        None if there are several or none, or if they can't be read: the diagnosis reports that.
    """
    try:
        async with asyncio.timeout(TIMEOUT_S):
            names = await _fetch_names(kube, namespace)
    except (VrooliError, TimeoutError):
        return None
    return names[0] if len(names) == 1 else None


async def _fetch_names(kube: Kube, namespace: str) -> list[str]:
    """The names of the releases of the chart, by the newest record of each."""
    newest: dict[str, tuple[int, str]] = {}
    for secret in await kube.list(*SECRET, namespace, "owner=helm", names_only=True):
        name, number = labels(secret).get("name", ""), labels(secret).get("version", "")
        if name and number.isdecimal():
            record = (int(number), text(secret, "metadata", "name"))
            newest[name] = max(record, newest.get(name, record))
    names = []
    for name, (_, secret_name) in sorted(newest.items()):
        record_secret = await kube.get(*SECRET, secret_name, namespace)
        if record_secret is not None and storage.parse_chart_name(record_secret) == CHART:
            names.append(name)
    return names
