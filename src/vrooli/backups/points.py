"""The record of a point of the platform, kept as an annotation of its PostgreSQL backup. No I/O.

It is in the repository with the backup, so it survives the cluster and expires with the backup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from vrooli.backups.info import Info, StoredBackup
from vrooli.kube.objects import MALFORMED_ERRORS

ANNOTATION = "vrooli-point"
# The folder of the repository with the dumps of Redis; pgBackRest uses archive, backup and log.
FOLDER = "vrooli"
# The name of a point, which is part of paths and of options that PGO runs in a shell.
_ID = re.compile(r"[0-9]{8}-[0-9]{6}")


@dataclass(frozen=True)
class RedisDump:
    """The dump of Redis in the repository.

    Attributes:
        size: Bytes.
        sha256: Of the whole dump.
        parts: The number of files.
        keys: The keys in it, all databases together.
    """

    size: int
    sha256: str
    parts: int
    keys: int


@dataclass(frozen=True)
class Point:
    """A moment of PostgreSQL, Redis and Vault that belong together.

    Attributes:
        id: Its name, from the time: 20261129-140501.
        time: The moment, UTC, by PostgreSQL's clock.
        release: The name of the release.
        revision: Helm's revision.
        version: The version of the artifact; may be empty.
        redis: The dump of Redis; None if the release has no Redis in the cluster.
        vault: The version of each secret in Vault, by mount and path.
    """

    id: str
    time: datetime
    release: str
    revision: int
    version: str = ""
    redis: RedisDump | None = None
    vault: Mapping[str, int] = field(default_factory=dict)

    @property
    def restore_point(self) -> str:
        """The name of PostgreSQL's restore point."""
        return restore_point_name(self.id)

    @property
    def folder(self) -> str:
        """The folder with its dump of Redis."""
        return f"{FOLDER}/{self.id}"

    def to_annotation(self) -> str:
        """The record as compact JSON."""
        record = asdict(self) | {"time": self.time.isoformat(), "vault": dict(self.vault)}
        return json.dumps(record, separators=(",", ":"))


def point_id(time: datetime) -> str:
    """The name of a point at a time, UTC."""
    return f"{time:%Y%m%d-%H%M%S}"


def restore_point_name(identifier: str) -> str:
    """The name of PostgreSQL's restore point of a point."""
    return f"vrooli-{identifier}"


def parse_point(backup: StoredBackup) -> Point | None:
    """The point that a backup belongs to; None if it is a backup of PostgreSQL only.

    The annotation is from a repository that others can write, so an invalid one is no point.
    """
    try:
        record: dict[str, Any] = json.loads(backup.annotations[ANNOTATION])
        time = datetime.fromisoformat(record["time"])
        if not _ID.fullmatch(record["id"]) or time.tzinfo is None:
            return None
        return Point(
            id=record["id"],
            time=time,
            release=str(record["release"]),
            revision=int(record["revision"]),
            version=str(record["version"]),
            redis=_parse_dump(record["redis"]),
            vault={str(path): int(version) for path, version in record["vault"].items()},
        )
    except MALFORMED_ERRORS:
        return None


def _parse_dump(record: Any) -> RedisDump | None:
    """The dump of Redis of a point.

    Raises:
        TypeError: A field is missing, unknown or of another type.
    """
    if record is None:
        return None
    dump = RedisDump(**record)
    numbers = (dump.size, dump.parts, dump.keys)
    if not all(type(item) is int and item >= 0 for item in numbers) or type(dump.sha256) is not str:
        raise TypeError("a field has another type")
    return dump


def find_backup(info: Info, name: str) -> tuple[StoredBackup, Point | None] | None:
    """The backup with a point's ID or pgBackRest's label, and its point; None if none has it."""
    for backup in reversed(info.backups):
        point = parse_point(backup)
        if name == backup.label or (point is not None and name == point.id):
            return backup, point
    return None
