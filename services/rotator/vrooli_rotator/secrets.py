"""Secrets: their data as text, and how they are written."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from vrooli_rotator.kubernetes import Body, Kubernetes

MANAGER = "vrooli-rotator"
# When the present password was published; an annotation of the published Secret.
PUBLISHED_AT = "vrooli.com/published-at"


@dataclass(frozen=True)
class Secret:
    """A Secret's data, and when it was published if this program did that."""

    data: Mapping[str, str]
    published_at: datetime | None = None


class Secrets:
    """The Secrets of the release."""

    def __init__(self, kubernetes: Kubernetes, deployment: str) -> None:
        self._kubernetes = kubernetes
        self._deployment = deployment

    async def get(self, name: str) -> Secret | None:
        """The Secret's data, or None if there is no such Secret."""
        body = await self._kubernetes.get("Secret", name)
        if body is None:
            return None
        encoded = body.get("data") or {}
        data = {key: base64.b64decode(value).decode() for key, value in encoded.items()}
        moment = (body["metadata"].get("annotations") or {}).get(PUBLISHED_AT)
        return Secret(data, datetime.fromisoformat(moment) if moment else None)

    async def set(self, name: str, data: Mapping[str, str | None]) -> None:
        """Set some keys of a Secret; None removes one."""
        await self._kubernetes.patch("Secret", name, {"data": _encoded(data)})

    async def publish(self, name: str, data: Mapping[str, str]) -> Secret:
        """Make the published Secret hold exactly ``data``, and note the moment."""
        present = await self.get(name)
        if present is None:
            # No pod can have started without it: none has to be replaced.
            await self._kubernetes.create("Secret", await self._body(name, data))
            return Secret(data)
        now = datetime.now(UTC)
        annotations = {PUBLISHED_AT: now.isoformat()}
        removed = dict.fromkeys(set(present.data) - set(data))
        change: Body = {
            "metadata": {"annotations": annotations},
            "data": _encoded({**removed, **data}),
        }
        await self._kubernetes.patch("Secret", name, change)
        return Secret(data, now)

    async def _body(self, name: str, data: Mapping[str, str]) -> Body:
        """A new Secret; it goes when the Deployment of this program is deleted."""
        owner = await self._kubernetes.get("Deployment", self._deployment)
        metadata: Body = {
            "name": name,
            "labels": {"app.kubernetes.io/managed-by": MANAGER},
        }
        if owner is not None:
            labels = owner["metadata"].get("labels") or {}
            kept = ("app.kubernetes.io/instance", "app.kubernetes.io/part-of")
            metadata["labels"].update({key: labels[key] for key in kept if key in labels})
            metadata["ownerReferences"] = [
                {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": self._deployment,
                    "uid": owner["metadata"]["uid"],
                }
            ]
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "type": "Opaque",
            "data": _encoded(data),
        }


def _encoded(data: Mapping[str, str | None]) -> dict[str, str | None]:
    return {
        key: None if value is None else base64.b64encode(value.encode()).decode()
        for key, value in data.items()
    }
