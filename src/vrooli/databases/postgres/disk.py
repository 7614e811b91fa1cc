"""The free space for the data of an instance."""

from __future__ import annotations

from vrooli.databases import programs
from vrooli.databases.postgres.session import CONTAINER, Postgres
from vrooli.databases.programs import Place
from vrooli.errors import PrerequisiteError

# The time limit of df, seconds.
DF_S = 15.0
# The directory of the data volume in PGO's pods.
DIRECTORY = "/pgdata"
_FREE = 'df -PB1 "$1" | tail -1'


async def free_bytes(postgres: Postgres, pod: str) -> int:
    """The free bytes on the disk of a pod's data volume.

    Raises:
        PrerequisiteError: They could not be read.
        VrooliError: The pod did not run the program.
    """
    place = Place(postgres.namespace, pod, CONTAINER)
    completed = await programs.run(postgres.kube, place, _FREE, [DIRECTORY], "", DF_S)
    columns = completed.stdout.split()
    try:
        return int(columns[3])
    except (IndexError, ValueError):
        answer = " ".join((completed.stderr or completed.stdout).split())
        raise PrerequisiteError(
            f"The free space of {DIRECTORY} in pod {pod} could not be read: "
            f"{answer or 'df printed nothing'}. Nothing was changed.",
            "Run the same command again when the pod is ready.",
        ) from None
