"""The certificate authority that pods trust, published before any pod starts.

The controller manager writes it into a ConfigMap of each namespace, but possibly after the kubelet
has started pods. Those of a fork would read the authority of its origin, and never another.
"""

from __future__ import annotations

from vrooli.cluster.embedded.api import Api

# The ConfigMap and its key (Kubernetes: pkg/controller/certificates/rootcacertpublisher).
NAME, KEY = "kube-root-ca.crt", "ca.crt"
PATH = f"/api/v1/configmaps?fieldSelector=metadata.name%3D{NAME}"


async def publish(api: Api, authority: str) -> bool:
    """Write the authority into each ConfigMap with another; returns whether all have it."""
    listing = await api.read(PATH)
    written = [
        await api.replace(
            f"/api/v1/namespaces/{item['metadata']['namespace']}/configmaps/{NAME}",
            {**item, "data": {KEY: authority}},
        )
        for item in listing.get("items", [])
        if item.get("data", {}).get(KEY) != authority
    ]
    return "items" in listing and all(written)
