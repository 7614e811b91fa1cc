"""Access to Secrets, with decoded data."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from vrooli_rotator.errors import WaitingError
from vrooli_rotator.kubernetes import Body, Kubernetes

MANAGER = "vrooli-rotator"
# Annotation of the published Secret: the time of the publication.
PUBLISHED_AT = "vrooli.com/published-at"


@dataclass(frozen=True)
class Secret:
    """The data of a Secret, and when the rotator published it, if so."""

    data: Mapping[str, str]
    published_at: datetime | None = None


class Secrets:
    """The Secrets of the release."""

    def __init__(self, kubernetes: Kubernetes, owner: str) -> None:
        self._kubernetes = kubernetes
        self._owner = owner

    async def get(self, name: str) -> Secret | None:
        """The Secret's data, or None if it doesn't exist."""
        body = await self._kubernetes.get("Secret", name)
        if body is None:
            return None
        encoded = body.get("data") or {}
        data = {key: base64.b64decode(value).decode() for key, value in encoded.items()}
        moment = (body["metadata"].get("annotations") or {}).get(PUBLISHED_AT)
        return Secret(data, datetime.fromisoformat(moment) if moment else None)

    async def read(self, name: str) -> Mapping[str, str]:
        """The Secret's data; empty if it doesn't exist."""
        secret = await self.get(name)
        return secret.data if secret is not None else {}

    async def set(self, name: str, data: Mapping[str, str | None]) -> None:
        """Set keys of a Secret; None removes a key."""
        await self._kubernetes.patch("Secret", name, {"data": _encoded(data)})

    async def publish(
        self, name: str, data: Mapping[str, str], *, is_first: bool = False
    ) -> Secret:
        """Set the data of the published Secret to exactly ``data``.

        Stores the time of the publication, by which pods with older values are replaced; omitted
        for the first publication.
        """
        now = None if is_first else datetime.now(UTC)
        annotations = {} if now is None else {PUBLISHED_AT: now.isoformat()}
        present = await self.get(name)
        if present is None:
            await self._kubernetes.create("Secret", await self._body(name, data, annotations))
            return Secret(data, now)
        removed = dict.fromkeys(set(present.data) - set(data))
        change: Body = {
            "metadata": {"annotations": annotations},
            "data": _encoded({**removed, **data}),
        }
        await self._kubernetes.patch("Secret", name, change)
        return Secret(data, now)

    async def _body(
        self, name: str, data: Mapping[str, str], annotations: Mapping[str, str]
    ) -> Body:
        """A new Secret, owned by the chart's state Secret, which is deleted with the release."""
        metadata: Body = {
            "name": name,
            "annotations": dict(annotations),
            "labels": {"app.kubernetes.io/managed-by": MANAGER},
        }
        owner = await self._kubernetes.get("Secret", self._owner)
        if owner is not None:
            labels = owner["metadata"].get("labels") or {}
            copied_labels = ("app.kubernetes.io/instance", "app.kubernetes.io/part-of")
            metadata["labels"].update({key: labels[key] for key in copied_labels if key in labels})
            reference = {"apiVersion": "v1", "kind": "Secret", "name": self._owner}
            metadata["ownerReferences"] = [{**reference, "uid": owner["metadata"]["uid"]}]
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "type": "Opaque",
            "data": _encoded(data),
        }


def source_data(source: Secret | None, name: str) -> Mapping[str, str]:
    """The data of the source Secret.

    Raises:
        WaitingError: The Secret doesn't exist yet.
    """
    if source is None:
        raise WaitingError(
            f"the Secret {name}, which the Vault Secrets Operator creates, does not exist yet"
        )
    return source.data


def _encoded(data: Mapping[str, str | None]) -> dict[str, str | None]:
    return {
        key: None if value is None else base64.b64encode(value.encode()).decode()
        for key, value in data.items()
    }
