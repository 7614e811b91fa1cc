"""The record of a restore in place, in the cluster: the next command continues or undoes it.

It is the ConfigMap ``<PostgresCluster>-restore``, which is deleted with the PostgresCluster.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from vrooli.backups.clones import LABELS
from vrooli.backups.listing import format_time
from vrooli.databases.postgres.session import Postgres
from vrooli.kube import Kube
from vrooli.kube.objects import MALFORMED_ERRORS, mapping

API, KIND, KEY = "v1", "ConfigMap", "restore"
# The label of the ConfigMap: the name of the PostgresCluster.
LABEL = "vrooli.com/restore-of"


class Phase(StrEnum):
    """How far a restore is."""

    BUILDING = "building"
    SWITCHING = "switching"
    SWITCHED = "switched"
    UNDOING = "undoing"


@dataclass(frozen=True)
class Restored:
    """A restore that is neither finished nor undone.

    Attributes:
        pod: The instance that has the data of before or beside.
        target: The moment or the point, in words.
        moment: The moment of the data, UTC.
        started: When the restore was started, UTC.
        phase: How far it is.
    """

    pod: str
    target: str
    moment: datetime
    started: datetime
    phase: Phase = Phase.BUILDING

    def in_phase(self, phase: Phase) -> Restored:
        """The same in another phase."""
        return replace(self, phase=phase)

    @property
    def is_live(self) -> bool:
        """Whether the restored data may be live."""
        return self.phase is not Phase.BUILDING

    def __str__(self) -> str:
        """The restore as messages name it."""
        return f"the restore to {self.target} that was started at {format_time(self.started)}"

    @property
    def note(self) -> str:
        """That it has not ended, and the commands that end it."""
        commands = "`vrooli restore --undo`"
        if self.is_live:
            commands = f"`vrooli restore --finish` or {commands}"
        return f"{self} has not ended (phase {self.phase}): run {commands}"


def name_of(cluster: str) -> str:
    """The name of the ConfigMap of a PostgresCluster."""
    return f"{cluster}-restore"


async def fetch(postgres: Postgres) -> Restored | None:
    """The record of a PostgresCluster; None without one, or if it is not valid."""
    return await read(postgres.kube, postgres.name, postgres.namespace)


async def read(kube: Kube, cluster: str, namespace: str) -> Restored | None:
    """The record of the PostgresCluster with this name, as ``fetch``."""
    body = await kube.get(API, KIND, name_of(cluster), namespace)
    return None if body is None else parse(str(mapping(body, "data").get(KEY, "")))


def parse(text: str) -> Restored | None:
    """The record in a ConfigMap; None if it is not valid."""
    try:
        fields = json.loads(text)
        return Restored(
            pod=str(fields["pod"]),
            target=str(fields["target"]),
            moment=datetime.fromisoformat(fields["moment"]).astimezone(UTC),
            started=datetime.fromisoformat(fields["started"]).astimezone(UTC),
            phase=Phase(fields["phase"]),
        )
    except MALFORMED_ERRORS:
        return None


def format_record(record: Restored) -> str:
    """The record as JSON."""
    times = {"moment": record.moment.isoformat(), "started": record.started.isoformat()}
    return json.dumps(asdict(record) | times)


async def store(postgres: Postgres, record: Restored) -> None:
    """Store the record."""
    owner = {
        "apiVersion": postgres.body["apiVersion"],
        "kind": postgres.body["kind"],
        "name": postgres.name,
        "uid": postgres.body["metadata"]["uid"],
    }
    labels = {**LABELS, LABEL: postgres.name}
    body = {
        "apiVersion": API,
        "kind": KIND,
        "metadata": {
            "name": name_of(postgres.name),
            "namespace": postgres.namespace,
            "labels": labels,
            "ownerReferences": [owner],
        },
        "data": {KEY: format_record(record)},
    }
    await postgres.kube.apply(body)


async def remove(postgres: Postgres) -> None:
    """Remove the record."""
    await postgres.kube.delete(API, KIND, name_of(postgres.name), postgres.namespace)
