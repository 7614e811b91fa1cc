"""pgBackRest in the pod that holds the repositories of a PostgresCluster.

PGO's backup jobs run it there, too. Its lock allows one backup at a time, whoever starts it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from vrooli.backups import info as reports
from vrooli.backups import problems
from vrooli.backups.info import STANZA, Info, Retention
from vrooli.databases import programs
from vrooli.databases.postgres.session import Postgres
from vrooli.databases.programs import Place
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.kube.execution import Completed
from vrooli.kube.objects import items, mapping, text
from vrooli.kube.status import is_pod_ready

CONTAINER = "pgbackrest"
# The time limits of a short command and of a transfer of one part, seconds.
COMMAND_S = 60.0
# pgBackRest waits for each repository that is not reachable four times as long, seconds. The list
# of all four repositories must end in its own limit, so that the reachable ones can be used.
ANSWER_S, INFO_S = 8.0, 150.0
# pgBackRest's exit code if another process holds its lock (src/common/error.auto.c).
LOCKED = 50
_RUN = 'pgbackrest "$@"'
_PUT = 'bash -o pipefail -c \'base64 -d | pgbackrest "$@"\' bash "$@"'
# pgBackRest encrypts all files with the passphrase of the repository. To decrypt those that are not
# its own, it requires this variable. The passphrase stays in the pod, in which PGO mounts it.
_GET = (
    "bash -o pipefail -c '"
    'folder="${PGBACKREST_CONFIG_INCLUDE_PATH:-/etc/pgbackrest/conf.d}"; '
    'word=$(sed -n "s/^ *$0-cipher-pass *= *//p" "$folder"/*.conf 2>/dev/null | head -n 1); '
    '[ -z "$word" ] || export PGBACKREST_CIPHER_PASS="$word"; '
    'pgbackrest "$@" | base64 -w 0\' repo{number} "$@"'
)
# A line of pgBackRest's log: time, process, level.
_ERROR = re.compile(r"^(?:.*?\b)?ERROR: \[\d+\]: ", re.MULTILINE)


class RepositoryError(VrooliError):
    """pgBackRest failed."""


@dataclass(frozen=True)
class Repository:
    """The repositories of one PostgresCluster."""

    postgres: Postgres

    @property
    def place(self) -> Place:
        """The container with pgBackRest (PGO: `<cluster>-repo-host-0`)."""
        return Place(self.postgres.namespace, f"{self.postgres.name}-repo-host-0", CONTAINER)

    async def check(self) -> None:
        """Check that the pod is ready.

        Raises:
            PrerequisiteError: It is not.
        """
        pod = await self.postgres.kube.get("v1", "Pod", self.place.pod, self.place.namespace)
        if pod is None or not is_pod_ready(pod):
            state = "does not exist" if pod is None else "is not ready"
            raise PrerequisiteError(
                f"The pod of the backup repository, {self.place}, {state}.",
                "Run `vrooli diagnose` to find the cause.",
            )

    async def info(self) -> Info:
        """The repositories and their backups."""
        arguments = ["info", f"--stanza={STANZA}", "--output=json", f"--io-timeout={ANSWER_S:g}"]
        output = await self._run(_RUN, arguments, limit_s=INFO_S)
        return reports.parse_info(output)

    def retention(self, number: int) -> Retention | None:
        """How long a repository retains its backups; None if it retains all."""
        settings = mapping(self.postgres.body, "spec", "backups", "pgbackrest", "global")
        value = settings.get(f"repo{number}-retention-full")
        if not value or not str(value).isdecimal():
            return None
        kind = text(settings, f"repo{number}-retention-full-type")
        return Retention(int(value), is_in_days=kind == "time")

    def schedule(self, number: int) -> str:
        """The cron schedule of full backups in a repository; empty if there is none."""
        repositories = items(self.postgres.body, "spec", "backups", "pgbackrest", "repos")
        named = (item for item in repositories if text(item, "name") == f"repo{number}")
        return text(next(named, {}), "schedules", "full")

    async def backup(self, number: int, kind: str, limit_s: float) -> None:
        """Make a backup and wait until it is complete and its WAL is archived.

        Args:
            number: The repository.
            kind: full, diff or incr; without a full backup, each is a full one.
            limit_s: The time limit, seconds.

        Raises:
            PrerequisiteError: Another backup is running.
            RepositoryError: It failed.
            WaitTimeoutError: It did not end in time.
        """
        arguments = ["backup", f"--stanza={STANZA}", f"--repo={number}", f"--type={kind}"]
        # Without this, PostgreSQL spreads the first checkpoint over minutes.
        await self._run(_RUN, [*arguments, "--start-fast"], limit_s=limit_s)

    async def annotate(self, number: int, label: str, key: str, value: str) -> None:
        """Write an annotation on a backup."""
        where = [f"--stanza={STANZA}", f"--repo={number}", f"--set={label}"]
        await self._run(_RUN, ["annotate", *where, f"--annotation={key}={value}"])

    async def put(self, number: int, path: str, data: bytes) -> None:
        """Store a file, encrypted if the repository is."""
        content = base64.b64encode(data).decode()
        await self._run(_PUT, ["repo-put", f"--repo={number}", path], content)

    async def get(self, number: int, path: str) -> bytes:
        """The content of a file."""
        script = _GET.replace("{number}", str(number))
        output = await self._run(script, ["repo-get", f"--repo={number}", path])
        return base64.b64decode(output)

    async def sizes(self, number: int, folder: str) -> dict[str, int]:
        """The files below a folder and their sizes, bytes; none if it does not exist."""
        where = ["repo-ls", f"--repo={number}", "--recurse", "--output=json", folder]
        listed = json.loads(await self._run(_RUN, where) or "{}")
        return {
            path: int(entry.get("size", 0))
            for path, entry in listed.items()
            if entry.get("type") == "file"
        }

    async def remove(self, number: int, folder: str) -> None:
        """Remove a folder."""
        await self._run(_RUN, ["repo-rm", f"--repo={number}", "--recurse", folder])

    async def _run(
        self, script: str, arguments: Sequence[str], stdin: str = "", limit_s: float = COMMAND_S
    ) -> str:
        completed = await programs.run(
            self.postgres.kube, self.place, script, arguments, stdin, limit_s
        )
        if completed.exit_code == LOCKED:
            raise PrerequisiteError(
                f"Another backup of {self.postgres.name} is running.",
                "Wait until it ends. `vrooli backups` lists it then.",
            )
        if completed.exit_code:
            raise _failure(arguments[0], completed)
        return completed.stdout


def _failure(command: str, completed: Completed) -> RepositoryError:
    output = (completed.stdout + completed.stderr).strip()
    match = _ERROR.search(output)
    reason = problems.brief(output[match.end() :]) if match else ""
    if not reason:  # a process that is killed reports nothing
        reason = (
            f"it was stopped with exit code {completed.exit_code}; its container may have restarted"
        )
    advice = "Run `vrooli diagnose`, which examines the repository and the archiving of WAL."
    if completed.exit_code in problems.FOREIGN_CODES:
        advice = problems.FOREIGN_ADVICE
    return RepositoryError(f"pgBackRest could not run `{command}`: {reason}", advice)
