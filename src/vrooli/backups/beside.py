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

# The folder of the volume (postgres_restore.sh).
FOLDER = f"{disk.DIRECTORY}/vrooli-restore"
# The time limits of reading the state, of an exchange with the recovery before it, and of deleting
# data, seconds. Writes stop only for the last part of an exchange.
STATE_S, EXCHANGE_S, DELETE_S = 30.0, 300.0, 300.0
_BASH = 'bash -s "$@"'
_SWITCHED = re.compile(r"^switched (\d+)$", re.MULTILINE)


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
class Beside:
    """The data beside the live data of an instance.

    Attributes:
        postgres: The PostgresCluster.
        pod: The instance.
    """

    postgres: Postgres
    pod: str

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

    async def demand_room(self, recovery: Recovery) -> None:
        """Check that a copy fits on the volume.

        Raises:
            PrerequisiteError: It does not fit.
        """
        free = await disk.free_bytes(self.postgres, self.pod)
        required = recovery.backup.size + space.WAL
        if free < required:
            raise PrerequisiteError(
                f"There is no room for the restored data in the volume of pod {self.pod}: they "
                f"take up to {required} bytes ({format_bytes(required)}), {free} bytes "
                f"({format_bytes(free)}) are free. Nothing was changed.",
                "Enlarge it with `vrooli grow postgres`, delete the data of a restore that was "
                "killed with `vrooli restore --undo`, or restore a copy elsewhere with --into.",
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
        await self._run("build", *arguments, limit_s=limit_s)

    async def prepare(self, *, undo: bool = False) -> None:
        """Make data ready to become live: the restored ones, or the previous ones."""
        await self._run("prepare-undo" if undo else "prepare", limit_s=EXCHANGE_S)

    async def switch(self) -> float:
        """Make the restored data live and keep the previous ones; returns the pause, seconds."""
        return await self._exchange("switch")

    async def undo(self) -> float:
        """Make the previous data live again; returns the pause, seconds."""
        return await self._exchange("undo")

    async def discard(self) -> None:
        """Delete data that are not live and not the previous ones."""
        await self._run("discard", limit_s=DELETE_S)

    async def finish(self) -> None:
        """Delete the previous data."""
        await self._run("finish", limit_s=DELETE_S)

    async def _exchange(self, verb: str) -> float:
        match = _SWITCHED.search(await self._run(verb, limit_s=EXCHANGE_S))
        if match is None:
            raise VrooliError(f"The exchange in pod {self.pod} had no result.")
        return int(match[1]) / 1000

    async def _run(self, verb: str, *arguments: str, limit_s: float) -> str:
        script = resources.files(pod_programs).joinpath("postgres_restore.sh").read_text("utf-8")
        place = Place(self.postgres.namespace, self.pod, CONTAINER)
        completed = await programs.run(
            self.postgres.kube, place, _BASH, [verb, *arguments], script, limit_s
        )
        if completed.exit_code:
            lines = completed.stderr.strip().splitlines()
            reason = lines[-1] if lines else f"it ended with exit code {completed.exit_code}"
            raise VrooliError(
                f"PostgreSQL could not be restored in pod {place}: {reason}",
                "Run `vrooli status` to see that PostgreSQL is ready, then the same command again.",
            )
        return completed.stdout
