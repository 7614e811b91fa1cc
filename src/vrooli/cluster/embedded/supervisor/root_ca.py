"""The certificate authority that pods trust, published before any pod starts.

The controller manager writes it into a ConfigMap of each namespace, but possibly after the kubelet
has started pods. Those of a fork would read the authority of its origin, and never another.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from vrooli import inert
from vrooli.cluster.embedded.api import Api

# The ConfigMap and its key (Kubernetes: pkg/controller/certificates/rootcacertpublisher).
NAME, KEY = "kube-root-ca.crt", "ca.crt"
PATH = f"/api/v1/configmaps?fieldSelector=metadata.name%3D{NAME}"
# How long to try again after the first refusal, seconds. The API server refuses some requests just
# after its start, and always to change an immutable ConfigMap.
LIMIT_S = 60.0
# How many namespaces a report names.
NAMED = 5


class Publisher:
    """Writes the authority after each start of the API server, for a limited time.

    Attributes:
        problem: Where it could not be written, as text; empty if it is everywhere.
    """

    def __init__(self, api: Api, authority: Path) -> None:
        """Prepare to publish the certificate in a file."""
        self._api = api
        self._authority = authority
        self._deadline = 0.0
        self.problem = ""

    async def publish(self) -> bool:
        """Try once; returns whether it is written, or the time is over."""
        refused = await publish(self._api, self._authority.read_text())
        if refused is None:
            return False
        if not refused:
            self._deadline, self.problem = 0.0, ""
            return True
        self._deadline = self._deadline or time.monotonic() + LIMIT_S
        if time.monotonic() < self._deadline:
            return False
        self.problem = describe(refused)
        return True


async def publish(api: Api, authority: str) -> list[str] | None:
    """Write the authority into each ConfigMap with another.

    Returns:
        The namespaces in which it could not be written; None if the ConfigMaps can't be read.
    """
    listing = await api.read(PATH)
    if "items" not in listing:
        return None
    outdated = {
        str(item["metadata"]["namespace"]): item
        for item in listing["items"]
        if item.get("data", {}).get(KEY) != authority
    }
    return [
        namespace
        for namespace, item in outdated.items()
        if not await api.replace(
            f"/api/v1/namespaces/{namespace}/configmaps/{NAME}", {**item, "data": {KEY: authority}}
        )
    ]


def describe(namespaces: Sequence[str]) -> str:
    """What it means that the authority could not be written, and what to do."""
    more = f" and {len(namespaces) - NAMED} more" if len(namespaces) > NAMED else ""
    places = inert.line(", ".join(namespaces[:NAMED]))
    return (
        f"the ConfigMap {NAME} can't be changed in {places}{more}: pods there trust another "
        "authority. Delete it, and it is written again"
    )
