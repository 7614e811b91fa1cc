"""Data of PostgreSQL beside the live data of its primary, on the same volume.

A program in the container of the primary restores them with pgBackRest, has a second server recover
them, and exchanges both. The live data is served until then, and its copy is kept after it.
"""

from __future__ import annotations

import dataclasses
import re
import shlex
from dataclasses import dataclass
from importlib import resources

from vrooli.backups import pod_programs, space
from vrooli.backups.targets import Recovery
from vrooli.databases import programs
from vrooli.databases.postgres import disk
from vrooli.databases.postgres.session import CONTAINER, Postgres
from vrooli.databases.programs import Place
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.grammar import format_bytes
from vrooli.kube.api_errors import ConnectionLostError

# The folder of the volume (postgres_restore.sh).
FOLDER = f"{disk.DIRECTORY}/vrooli-restore"
# The time limits of reading the state, of measuring the data, of an exchange with the recovery
# before it, and of deleting data, seconds. Writes stop only for the last part of an exchange.
STATE_S, ROOM_S, EXCHANGE_S, DELETE_S = 30.0, 60.0, 300.0, 300.0
# What the program reports as free memory of a container without a limit.
UNLIMITED = "-"
# Memory that the second server and pgBackRest may need, bytes: ten times what was measured
# (docs/performance.md).
MEMORY = 128 * 1024**2
# The programs for the pod, in their order.
PROGRAMS = ("postgres_exchange.sh", "postgres_restore.sh")
_BASH = 'bash -s "$@"'
_SWITCHED = re.compile(r"^switched (\d+)$", re.MULTILINE)
_ASIDE = re.compile(r"^aside (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class State:
    """What there is beside the live data.

    Attributes:
        is_built: Whether there are restored data, complete or not.
        is_switched: Whether there are the previous data.
        is_exchanging: Whether an exchange has not ended.
        problem: Why data cannot be restored beside; empty if they can.
    """

    is_built: bool = False
    is_switched: bool = False
    is_exchanging: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Exchanged:
    """An exchange that has ended.

    Attributes:
        pause_s: How long PostgreSQL was stopped, seconds; 0 if another command had exchanged.
        aside: The folder of data that Patroni had created after a crash; empty without.
    """

    pause_s: float
    aside: str = ""


def program() -> str:
    """The program that runs in the container of the instance, with a verb as its argument."""
    folder = resources.files(pod_programs)
    return "".join(folder.joinpath(item).read_text("utf-8") for item in PROGRAMS)


@dataclass(frozen=True)
class DataDirectories:
    """The data directories of an instance: the live data, restored data and the previous data.

    Attributes:
        postgres: The PostgresCluster.
        pod: The instance.
        is_stopped: Whether its server does not answer.
    """

    postgres: Postgres
    pod: str
    is_stopped: bool = False

    @property
    def server(self) -> Postgres:
        """The second server in the pod, while it runs."""
        return dataclasses.replace(self.postgres, socket=FOLDER)

    async def state(self) -> State:
        """Read what there is."""
        words = (await self._run("state", limit_s=STATE_S)).split()
        problems = {
            "tablespaces": "it has tablespaces, which are outside its data directory",
            "layout": "its WAL has a volume of its own",
        }
        found = [text for word, text in problems.items() if word in words]
        return State("new" in words, "old" in words, "exchanging" in words, "; ".join(found))

    async def timelines(self) -> str:
        """The timeline and the last checkpoint of the live data, and the timeline's history."""
        return await self._run("timelines", limit_s=STATE_S)

    async def demand_room(self, recovery: Recovery) -> None:
        """Check that a copy and its server fit.

        The data may have grown since the backup, or shrunk, so the larger of both is required.

        Raises:
            PrerequisiteError: They do not fit.
        """
        free, live, memory = (await self._run("room", limit_s=ROOM_S)).split()
        required = max(recovery.backup.size, int(live)) + space.WAL
        if int(free) < required:
            raise PrerequisiteError(
                f"There is no room for the restored data in the volume of pod {self.pod}: they "
                f"take up to {required} bytes ({format_bytes(required)}), {free} bytes "
                f"({format_bytes(int(free))}) are free. Nothing was changed.",
                "Enlarge it with `vrooli grow postgres`, delete the data of a restore that was "
                "killed with `vrooli restore --undo`, or restore a copy elsewhere with --into.",
            )
        if memory != UNLIMITED and int(memory) < MEMORY:
            raise PrerequisiteError(
                f"There is no memory for a second server in pod {self.pod}: it takes up to "
                f"{format_bytes(MEMORY)}, {format_bytes(max(int(memory), 0))} of the container's "
                "limit are free. Nothing was changed.",
                "Raise pgoPostgresql.resources.limits.memory and deploy, or restore a "
                "copy elsewhere with --into.",
            )

    async def build(self, recovery: Recovery, limit_s: float) -> None:
        """Restore data beside the live data, until a second server shows them; others are deleted.

        Raises:
            VrooliError: pgBackRest or PostgreSQL stopped; the message has the reason.
            WaitTimeoutError: It was not complete in time.
        """
        # The options are quoted for a shell.
        options = [word for option in recovery.options for word in shlex.split(option)]
        arguments = [str(recovery.repository), f"{limit_s:.0f}", *options]
        await self._run(self._verb("build"), *arguments, limit_s=limit_s)

    async def prepare(self, *, undo: bool = False) -> None:
        """Make data ready to become live: the restored ones, or the previous ones."""
        await self._run("prepare-undo" if undo else self._verb("prepare"), limit_s=EXCHANGE_S)

    async def switch(self) -> Exchanged:
        """Make the restored data live and keep the previous ones."""
        return await self._exchange(self._verb("switch"))

    async def undo(self) -> Exchanged:
        """Make the previous data live again."""
        return await self._exchange("undo")

    async def discard(self) -> None:
        """Delete data that are not live and not the previous ones."""
        await self._run("discard", limit_s=DELETE_S)

    async def finish(self) -> None:
        """Delete the previous data."""
        await self._run("finish", limit_s=DELETE_S)

    def _verb(self, verb: str) -> str:
        return f"{verb}-stopped" if self.is_stopped else verb

    async def _exchange(self, verb: str) -> Exchanged:
        try:
            output = await self._run_once(verb, limit_s=EXCHANGE_S)
        except ConnectionLostError:
            # It goes on in the pod. In the middle, the same verb continues it.
            state = await self.state()
            is_done = state.is_built if verb == "undo" else state.is_switched
            if is_done and not state.is_exchanging:
                return Exchanged(0.0)
            output = await self._run_once(verb, limit_s=EXCHANGE_S)
        match = _SWITCHED.search(output)
        if match is None:
            raise VrooliError(f"The exchange in pod {self.pod} had no result.")
        aside = _ASIDE.search(output)
        return Exchanged(int(match[1]) / 1000, aside[1] if aside else "")

    async def _run(self, verb: str, *arguments: str, limit_s: float) -> str:
        """Run a verb, again if the connection broke off: all but the exchange can be repeated."""
        try:
            return await self._run_once(verb, *arguments, limit_s=limit_s)
        except ConnectionLostError:
            return await self._run_once(verb, *arguments, limit_s=limit_s)

    async def _run_once(self, verb: str, *arguments: str, limit_s: float) -> str:
        place = Place(self.postgres.namespace, self.pod, CONTAINER)
        completed = await programs.run(
            self.postgres.kube, place, _BASH, [verb, *arguments], program(), limit_s
        )
        if completed.exit_code:
            lines = completed.stderr.strip().splitlines()
            reason = lines[-1] if lines else f"it ended with exit code {completed.exit_code}"
            raise VrooliError(
                f"PostgreSQL could not be restored in pod {place}: {reason}",
                "Run `vrooli status` to see that PostgreSQL is ready, then the same command again.",
            )
        return completed.stdout
