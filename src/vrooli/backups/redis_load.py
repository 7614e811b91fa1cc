"""Loads a dump of the repository into a running Redis, whose replicas follow.

Redis with an append-only file ignores a dump at its start. A second server in the pod therefore
loads the dump, and the master copies it as its replica: Redis replaces its data, its append-only
file and its replicas itself. It refuses writes meanwhile and serves reads of the previous data.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from vrooli.backups.points import Point, RedisDump
from vrooli.backups.redis_dump import part_path
from vrooli.backups.repository import Repository
from vrooli.databases import programs
from vrooli.databases.programs import Place
from vrooli.databases.redis.session import Redis, RedisPod
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.grammar import format_bytes
from vrooli.kube.api_errors import ApiError
from vrooli.kube.execution import StartError
from vrooli.operators.redis import names

# The file of a dump that is loaded, and the port of the second server, on the loopback only.
FILE, PORT = "vrooli-restore.rdb", 6390
# The time limits of copying one part and of loading the dump, seconds. Sentinel replaces a master
# that has been a replica for longer than its down-after time and 20 s.
PART_S, LOAD_S = 60.0, 20
# Memory of a server without data, bytes.
SERVER = 8 * 1024**2
_APPEND = 'sh -c \'base64 -d >> "$1"\' sh "$@"'
_CHECK = (
    'sh -c \'sha256sum "$1"; redis-check-rdb "$1"; '
    "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null; true' "
    'sh "$@"'
)
_DF = 'df -Pk "$1"'
_SHELL = 'sh -s "$@"'
_REMOVE = 'sh -c \'rm -f "$1"\' sh "$@"'
_USED = re.compile(r"AUX FIELD used-mem = '(\d+)'")
_LIMIT = re.compile(r"^(\d+)$", re.MULTILINE)
_LOADED = re.compile(r"^loaded (\d+)$", re.MULTILINE)
# "$1" is the folder, "$2" the file, "$3" the port, "$4" the limit in seconds, "$5" the number of
# keys in the dump. Programs that read input get none: the input is this script. It goes on if the
# connection to it breaks off, so nothing else may remove the file meanwhile.
SCRIPT = r"""
folder="$1" file="$2" port="$3" limit="$4" keys="$5"
now() { date +%s; }
deadline=$(($(now) + limit))
cd "$folder" || exit 1
if [ -n "$REDIS_PASSWORD" ]; then export REDISCLI_AUTH="$REDIS_PASSWORD"; fi
live() { redis-cli -p "${REDIS_PORT:-6379}" "$@" </dev/null; }
secret=$(live CONFIG GET masterauth | sed -n 2p)
user=$(live CONFIG GET masteruser | sed -n 2p)
user="${user:-default}"
copy() {
  REDISCLI_AUTH="$secret" redis-cli --no-auth-warning --user "$user" -p "$port" "$@" </dev/null
}
field() { tr -d '\r' | sed -n "s/^$1://p"; }
is_master() { [ "$(live INFO replication | field role)" = master ]; }
is_loaded() { [ "$(copy INFO persistence 2>/dev/null | field loading)" = 0 ]; }
link() { tr -d '\r' | grep -E '^(role|master_link_status|master_sync_in_progress):' | tr '\n' ' '; }
follow() { live REPLICAOF 127.0.0.1 "$port" >/dev/null; }
# The operator makes a single Redis that is a replica the master again: then it begins again, or has
# the history of the second server already.
is_copied() {
  state=$(live INFO replication)
  [ "$(echo "$state" | field master_link_status)" != up ] || return 0
  [ "$(echo "$state" | field master_replid2)" != "$history" ] || return 0
  [ "$(echo "$state" | field role)" != master ] || follow
  return 1
}
# Redis before 7 does not count what it has loaded.
has_keys() {
  info=$(copy INFO persistence)
  loaded=$(echo "$info" | field rdb_last_load_keys_loaded)
  expired=$(echo "$info" | field rdb_last_load_keys_expired)
  [ "$keys" -eq 0 ] || [ "$((${loaded:-0} + ${expired:-0}))" -gt 0 ] ||
    copy INFO keyspace | grep -q '^db'
}
await() { until "$@"; do [ "$(now)" -lt "$deadline" ] || return 1; sleep 0.1; done; }
fail() { echo "$1" >&2; exit 1; }
# Redis refuses REPLICAOF while it loads what it has copied.
promote() { is_master || { live REPLICAOF NO ONE >/dev/null 2>&1; is_master; }; }
end() {
  trap '' HUP INT TERM
  deadline=$(($(now) + limit))
  await promote || echo "it is still a replica of the second server" >&2
  copy SHUTDOWN NOSAVE >/dev/null 2>&1
  rm -f "$file"
}
is_master || { rm -f "$file"; fail "it is not the master"; }
[ -s "$file" ] || fail "there is no dump"
trap end EXIT
trap 'exit 1' HUP INT TERM
{
  printf 'bind 127.0.0.1\nport %s\ndir %s\ndbfilename %s\n' "$port" "$folder" "$file"
  printf 'appendonly no\nsave ""\ndaemonize yes\npidfile ""\nrepl-diskless-sync-delay 0\n'
  printf 'sanitize-dump-payload yes\n'
  [ -z "$secret" ] || printf 'user %s on >%s ~* &* +@all\n' "$user" "$secret"
} | redis-server - >/dev/null || fail "the second server did not start"
await is_loaded || fail "the dump was not loaded in time"
has_keys || fail "the second server has loaded none of the $keys keys"
history=$(copy INFO replication | field master_replid)
begin=$(date +%s%N)
follow
await is_copied || fail "the data was not copied in time ($(echo "$state" | link))"
await promote || fail "it is still a replica of the second server"
echo "loaded $((($(date +%s%N) - begin) / 1000000))"
"""


@dataclass(frozen=True)
class Staged:
    """A dump in the pod of the master, ready to be loaded."""

    redis: Redis
    master: RedisPod
    folder: str
    keys: int

    @property
    def place(self) -> Place:
        """The container."""
        return Place(self.redis.namespace, self.master.name, names.REDIS)

    @property
    def path(self) -> str:
        """The path of the dump."""
        return f"{self.folder}/{FILE}"

    async def load(self) -> float:
        """Replace the data of Redis; returns how long it refused writes, seconds.

        The script removes the dump, also if this process has ended.

        Raises:
            VrooliError: It could not be loaded; the message has the reason.
        """
        arguments = [self.folder, FILE, str(PORT), str(LOAD_S), str(self.keys)]
        try:
            completed = await programs.run(
                self.redis.kube, self.place, _SHELL, arguments, SCRIPT, LOAD_S * 3
            )
        except (ApiError, StartError):  # it was not started
            await self.remove()
            raise
        match = _LOADED.search(completed.stdout)
        if match is None:
            raise VrooliError(
                f"Redis in pod {self.place} could not load the dump: "
                f"{completed.stderr.strip() or f'exit code {completed.exit_code}'}",
                "Run `vrooli diagnose`.",
            )
        return int(match[1]) / 1000

    async def remove(self) -> None:
        """Remove the dump from the pod."""
        await _run(self, _REMOVE, [self.path])


async def stage(redis: Redis, point: Point, repository: Repository, number: int) -> Staged:
    """Copy the dump of a point into the pod of the master, and check it.

    Raises:
        PrerequisiteError: There is not enough memory or disk for it.
        VrooliError: The dump is not the one that was stored.
    """
    dump = point.redis
    if dump is None:
        raise PrerequisiteError(f"Point {point.id} has no dump of Redis.")
    master = await redis.master()
    folder = str((await redis.command(master, "CONFIG", "GET", "dir"))["dir"])
    staged = Staged(redis, master, folder, dump.keys)
    try:
        await staged.remove()
        await _check_space(staged, point, dump)
        digest = hashlib.sha256()
        for index in range(dump.parts):
            data = await repository.get(number, part_path(point.folder, index))
            digest.update(data)
            await _run(staged, _APPEND, [staged.path], base64.b64encode(data).decode())
        await _check(staged, point, dump, digest.hexdigest())
    except BaseException:
        await staged.remove()
        raise
    return staged


async def _check_space(staged: Staged, point: Point, dump: RedisDump) -> None:
    words = (await _run(staged, _DF, [staged.folder])).splitlines()[-1].split()
    # The dump, what Redis copies of it, and the new append-only file.
    free, required = int(words[3]) * 1024, 3 * dump.size
    if free < required:
        raise PrerequisiteError(
            f"The volume of Redis is too full: loading point {point.id} takes up to "
            f"{required} bytes ({format_bytes(required)}), {free} bytes ({format_bytes(free)}) "
            "are free. Nothing was changed.",
            "Enlarge it with `vrooli grow redis`, then restore again.",
        )


async def _check(staged: Staged, point: Point, dump: RedisDump, sha256: str) -> None:
    output = await _run(staged, _CHECK, [staged.path])
    used = int(match[1]) if (match := _USED.search(output)) else 0
    if sha256 != dump.sha256 or not output.startswith(sha256):
        raise VrooliError(
            f"The dump of point {point.id} in the repository is damaged: its checksum differs.",
            "Use another point: `vrooli backups`.",
        )
    memory = await staged.redis.info(staged.master, "memory")
    now = int(memory.get("used_memory_rss", "0"))
    # The second server, beside the larger one of the previous and the new data.
    required = used + max(now, used) + SERVER
    limits = [int(item) for item in _LIMIT.findall(output)]
    if limits and required > min(limits):
        raise PrerequisiteError(
            f"The memory of Redis does not suffice: loading point {point.id} takes up to "
            f"{required} bytes ({format_bytes(required)}), its limit is {min(limits)} bytes.",
            "Raise spotahomeRedis.redis.resources.limits.memory, deploy, then restore again.",
        )


async def _run(staged: Staged, script: str, arguments: Sequence[str], stdin: str = "") -> str:
    completed = await programs.run(
        staged.redis.kube, staged.place, script, arguments, stdin, PART_S
    )
    if completed.exit_code:
        reason = completed.stderr.strip() or f"exit code {completed.exit_code}"
        raise VrooliError(f"The dump could not be copied to pod {staged.place}: {reason}")
    return completed.stdout
