"""A release as a Helm leaves it that was killed at the end of an upgrade."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from vrooli.kube import Kube
from vrooli.release import Release


async def cut(kube: Kube, release: Release, number: int) -> None:
    """As if Helm had made this revision's objects and could no longer say so."""
    await _say(kube, release, number, "pending-upgrade")
    await _say(kube, release, number - 1, "deployed")


async def _say(kube: Kube, release: Release, number: int, status: str) -> None:
    name = f"sh.helm.release.v1.{release.name}.v{number}"
    body: Any = await kube.get("v1", "Secret", name, release.namespace)
    packed = base64.b64decode(base64.b64decode(body["data"]["release"]))
    noted = json.loads(gzip.decompress(packed))
    noted["info"]["status"] = status
    again = base64.b64encode(gzip.compress(json.dumps(noted).encode()))
    change = {
        "metadata": {"labels": {"status": status}},
        "data": {"release": base64.b64encode(again).decode()},
    }
    await kube.patch("v1", "Secret", name, release.namespace, change)
