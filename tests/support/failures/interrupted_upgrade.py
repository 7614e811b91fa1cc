"""A release as a Helm leaves it that was killed at the end of an upgrade."""

from __future__ import annotations

from typing import Any

from support.release import helm_secrets
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.release.model import secret_name


async def cut(kube: Kube, release: Release, number: int) -> None:
    """As if Helm had made this revision's objects and could no longer say so."""
    await _set_status(kube, release, number, "pending-upgrade")
    await _set_status(kube, release, number - 1, "deployed")


async def _set_status(kube: Kube, release: Release, number: int, status: str) -> None:
    name = secret_name(release.name, number)
    body: Any = await kube.get("v1", "Secret", name, release.namespace)
    saved = helm_secrets.unpacked(body)
    saved["info"]["status"] = status
    change = {
        "metadata": {"labels": {"status": status}},
        "data": {"release": helm_secrets.packed(saved)},
    }
    await kube.patch("v1", "Secret", name, release.namespace, change)
