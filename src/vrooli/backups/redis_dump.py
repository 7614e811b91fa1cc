"""A consistent dump (RDB) of Redis, copied from its master to the repository of backups."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vrooli.backups.points import RedisDump
from vrooli.backups.repository import Repository
from vrooli.databases import programs
from vrooli.databases.programs import Place
from vrooli.databases.redis.session import Redis, RedisCommandError, RedisPod
from vrooli.errors import VrooliError, WaitTimeoutError
from vrooli.operators.redis import names

# The size of one part of a dump, bytes: what this process holds in memory.
PART = 4 * 1024 * 1024
# The time limit of copying one part, seconds.
PART_S = 60.0
POLL_S = 0.2
# Links to dumps begin with this; a later dump replaces the file but not the link.
PREFIX = "vrooli-dump-"
_LINK = (
    'sh -c \'cd "$1" && rm -f "$3"* && ln "$2" "$4" && sha256sum "$4" && stat -c %s "$4" && '
    'redis-check-rdb "$4"\' sh "$@"'
)
# How Redis refuses a dump while another one, or a new append-only file, is written.
_BUSY = re.compile("in progress|child process")
_KEYS = re.compile(r"(\d+) keys read")
_READ = 'sh -c \'dd if="$1" bs="$2" skip="$3" count=1 2>/dev/null | base64 -w 0\' sh "$@"'
_REMOVE = 'sh -c \'rm -f "$1"\' sh "$@"'


@dataclass(frozen=True)
class DumpFile:
    """A dump in the pod of Redis.

    Attributes:
        place: The container.
        path: Its path.
        size: Bytes.
        sha256: Its hash.
        keys: The keys in it, all databases together.
    """

    place: Place
    path: str
    size: int
    sha256: str
    keys: int


async def save(redis: Redis, master: RedisPod, limit_s: float) -> None:
    """Have Redis write a dump of the data at this moment, and wait for it.

    Raises:
        WaitTimeoutError: It did not end in time.
        VrooliError: Redis could not write it.
    """
    deadline = time.monotonic() + limit_s
    before = await redis.info(master, "persistence")
    while True:
        try:
            await redis.command(master, "BGSAVE")
            break
        except RedisCommandError as error:
            # Another fork is running; a save of its own would have begun before this moment.
            if not _BUSY.search(error.message) or time.monotonic() > deadline:
                raise
        await asyncio.sleep(POLL_S)
    while True:
        now = await redis.info(master, "persistence")
        saves = int(now.get("rdb_saves", "0")) - int(before.get("rdb_saves", "0"))
        has_ended = now.get("rdb_bgsave_in_progress") == "0"
        if has_ended and now.get("rdb_last_bgsave_status") != "ok":
            raise VrooliError(
                f"Redis in pod {redis.namespace}/{master.name} could not write its dump.",
                "Its log has the reason; often its volume is full: `vrooli diagnose`.",
            )
        # Redis before 7 does not count saves.
        if has_ended and (saves > 0 or "rdb_saves" not in now):
            return
        if time.monotonic() > deadline:
            raise WaitTimeoutError(
                f"Redis in pod {redis.namespace}/{master.name} wrote no dump within {limit_s:g} s."
            )
        await asyncio.sleep(POLL_S)


@asynccontextmanager
async def linked(redis: Redis, master: RedisPod, identifier: str) -> AsyncIterator[DumpFile]:
    """The last dump under a name of its own, so that a later one does not replace it."""
    folder = str((await redis.command(master, "CONFIG", "GET", "dir"))["dir"])
    name = str((await redis.command(master, "CONFIG", "GET", "dbfilename"))["dbfilename"])
    place, link = Place(redis.namespace, master.name, names.REDIS), f"{PREFIX}{identifier}"
    output = await _run(redis, place, _LINK, folder, name, PREFIX, link)
    path, (sha256, _, size, *_) = f"{folder}/{link}", output.split()
    match = _KEYS.search(output)
    try:
        yield DumpFile(place, path, int(size), sha256, int(match[1]) if match else 0)
    finally:
        await _run(redis, place, _REMOVE, path)


async def store(
    redis: Redis, dump: DumpFile, repository: Repository, number: int, folder: str
) -> RedisDump:
    """Copy a dump to the repository, part by part.

    Raises:
        VrooliError: What arrived is not what Redis wrote.
    """
    digest, parts = hashlib.sha256(), -(-dump.size // PART)
    for index in range(parts):
        encoded = await _run(redis, dump.place, _READ, dump.path, str(PART), str(index))
        data = base64.b64decode(encoded)
        digest.update(data)
        await repository.put(number, part_path(folder, index), data)
    stored = sum((await repository.sizes(number, folder)).values())
    # An encrypted file has a header and is padded.
    if digest.hexdigest() != dump.sha256 or stored < dump.size:
        raise VrooliError(
            f"The dump of Redis has {dump.size} bytes, and {stored} other bytes were stored.",
            "Run the command again.",
        )
    return RedisDump(dump.size, dump.sha256, parts, dump.keys)


def part_path(folder: str, index: int) -> str:
    """The path of a part of a dump in the repository."""
    return f"{folder}/redis.rdb.{index:03d}"


async def _run(redis: Redis, place: Place, script: str, *arguments: str) -> str:
    completed = await programs.run(redis.kube, place, script, arguments, "", PART_S)
    if completed.exit_code:
        reason = completed.stderr.strip() or f"exit code {completed.exit_code}"
        raise VrooliError(f"The dump of Redis in pod {place} could not be read: {reason}")
    return completed.stdout
