"""Missing security updates and known vulnerabilities: one lookup, which is recorded for a day.

It never fails and never takes longer than its time: what could not be looked up is part of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from vrooli import project
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Progress
from vrooli.files import write_atomically
from vrooli.images import records, updates
from vrooli.images.builders.detection import detect
from vrooli.vulnerabilities import accepted, inventory, osv

# How long a record is used: a day, as the advisories' databases are updated, and less if
# something could not be looked up.
MAX_AGE, RETRY_AGE = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True)
class Lookup:
    """The result of a lookup.

    Attributes:
        time: When it was made, UTC.
        pins: The hash of the files that pin packages.
        updates: The packages of images that have a security update, with both versions.
        vulnerabilities: The known vulnerabilities of pinned packages.
        unchecked: What could not be looked up, and why.
    """

    time: datetime
    pins: str
    updates: tuple[str, ...] = ()
    vulnerabilities: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


async def current(limit_s: float, *, reads_images: bool) -> Lookup:
    """The recorded lookup, or a new one if that is too old or of other packages or images.

    Args:
        limit_s: The time for a new one, seconds.
        reads_images: Whether the packages of images may be read, which takes seconds for each.
    """
    key = inventory.fingerprint()
    recorded = read()
    if recorded is not None and recorded.pins == key and not _is_outdated(recorded):
        return recorded
    (missing, no_updates), (findings, no_findings) = await asyncio.gather(
        _within(limit_s, "updates of images", lambda: _updates(reads_images=reads_images)),
        _within(limit_s, "vulnerabilities", _vulnerabilities),
    )
    unchecked = tuple(filter(None, (no_updates, no_findings)))
    lookup = Lookup(datetime.now(UTC), key, missing, findings, unchecked)
    _write(lookup)
    return lookup


def read() -> Lookup | None:
    """The recorded lookup; None if it is missing or invalid."""
    try:
        saved = json.loads(_path().read_text())
        return Lookup(
            datetime.fromisoformat(saved["time"]),
            str(saved["pins"]),
            *(tuple(map(str, saved[name])) for name in ("updates", "vulnerabilities", "unchecked")),
        )
    except (OSError, ValueError, KeyError, TypeError):  # missing, or of another version
        return None


def _is_outdated(lookup: Lookup) -> bool:
    max_age = RETRY_AGE if lookup.unchecked else MAX_AGE
    age = datetime.now(UTC) - lookup.time
    return not timedelta(0) <= age < max_age or lookup.time.timestamp() < records.last_build()


async def _within(
    limit_s: float, subject: str, find: Callable[[], Awaitable[tuple[str, ...]]]
) -> tuple[tuple[str, ...], str]:
    """What was found, and why nothing could be looked up."""
    try:
        async with asyncio.timeout(limit_s):
            return await find(), ""
    except TimeoutError:
        return (), f"{subject}: no answer within {limit_s:.0f} s"
    except (VrooliError, osv.UncheckedError, httpx.HTTPError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return (), f"{subject}: {reason}"


async def _updates(*, reads_images: bool) -> tuple[str, ...]:
    try:
        builder = await detect()
    except PrerequisiteError:
        return ()  # a machine that builds no images has none
    by_image = await updates.find_all(builder, Progress(), reads_images=reads_images)
    missing = {update for of_image in by_image.values() for update in of_image}
    return tuple(f"{name} {installed} → {new}" for name, installed, new in sorted(missing))


async def _vulnerabilities() -> tuple[str, ...]:
    pins = await asyncio.to_thread(inventory.read)
    remaining, _ = accepted.split(await osv.find(pins))
    return tuple(f"{finding.id}: {finding.pin.name} {finding.pin.version}" for finding in remaining)


def _path() -> Path:
    return project.cache_dir() / "package-lookup.json"


def _write(lookup: Lookup) -> None:
    """Save it where possible; a cache that cannot be written costs only another lookup."""
    path = _path()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps({**asdict(lookup), "time": lookup.time.isoformat()}))
