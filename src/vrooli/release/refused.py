"""Secrets that Vault refuses to its operator, which tells so by events only. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from vrooli.release import readiness
from vrooli.release.hopeless import Trouble
from vrooli.release.scene import Scene

KIND = "VaultStaticSecret"
# Vault's answers that asking again doesn't change: no such role, no right, no such secret.
REFUSED = re.compile(r"Code: (?:400|403|404)")
# Once may be a moment before its policy was written.
TIMES = 2
# It asks again after 5 s, and ever later, seconds.
LASTS_S = 10.0


def refused(scene: Scene) -> Iterator[Trouble]:
    """The release's secrets that aren't there because Vault refused them more than once."""
    for item in scene.wanted or ():
        if item.kind != KIND or readiness.lack(item, scene.seen) is None:
            continue
        said = [body for body in scene.seen.of_kind("Event") if _tells(body, item.name, scene)]
        if sum(int(body.get("count") or 1) for body in said) >= TIMES:
            message = " ".join(str(max(said, key=_at)["message"]).split())
            yield Trouble(f"{KIND}/{item.name}", "", "refused by Vault", message, lasts_s=LASTS_S)


def _tells(event: Mapping[str, Any], name: str, scene: Scene) -> bool:
    about = event.get("involvedObject", {})
    return (
        (about.get("kind"), about.get("name")) == (KIND, name)
        and REFUSED.search(event.get("message") or "") is not None
        and _at(event) >= scene.began
    )


def _at(event: Mapping[str, Any]) -> datetime:
    """When it was said last."""
    metadata = event["metadata"]
    time = event.get("lastTimestamp") or event.get("eventTime") or metadata["creationTimestamp"]
    return datetime.fromisoformat(time).astimezone(UTC)
