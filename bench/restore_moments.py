"""Restore random moments of a database under writes, and compare each copy with what was written.

    uv run python bench/restore_moments.py                        # 20 moments of dev
    uv run python bench/restore_moments.py --moments 3 --cluster embedded:other

A client writes numbered rows, 20 in a second, and records when it sent each one and when it was
acknowledged. A copy of a moment must have all rows that were acknowledged until then, and none that
was sent later. The table is removed at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from vrooli.backups import copies
from vrooli.backups.clones import Place
from vrooli.databases import programs
from vrooli.databases.postgres.session import CONTAINER, Postgres
from vrooli.environments import environment
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.release.model import Release
from vrooli.workflows.clusters import access
from vrooli.workflows.restores.copy import RestoreOptions, restore

NAMESPACE, TABLE = "restored-moments", "public.restored_moments"
WRITES_PER_S = 20
COUNT = f"SELECT count(*) AS rows, coalesce(max(number), 0) AS last FROM {TABLE}"  # noqa: S608
# psql answers each line after its transaction; both clocks are that of the node.
WRITER = """
coproc SQL { psql -X -q -A -t -d "$DATABASE"; }
for number in $(seq "$COUNT"); do
  sent=$EPOCHREALTIME
  echo "INSERT INTO $TABLE VALUES ($number) RETURNING number;" >&"${SQL[1]}"
  read -r answer <&"${SQL[0]}"
  echo "$answer $sent $EPOCHREALTIME"
  sleep "$PAUSE"
done
"""


@dataclass(frozen=True)
class Write:
    """A row, when it was sent and when it was acknowledged, seconds since the epoch."""

    number: int
    sent: float
    acknowledged: float


@dataclass(frozen=True)
class Outcome:
    """A restored moment: the rows that it must have, may have and has, and its time."""

    moment: str
    acknowledged: int
    sent: int
    rows: int
    last: int
    elapsed_s: float

    @property
    def is_exact(self) -> bool:
        """Whether it has what was acknowledged and nothing that was sent later."""
        return self.rows == self.last and self.acknowledged <= self.last <= self.sent


async def write(postgres: Postgres, database: str, seconds: float) -> list[Write]:
    """Write rows for so many seconds."""
    await postgres.execute(
        f"DROP TABLE IF EXISTS {TABLE}; CREATE TABLE {TABLE} (number int PRIMARY KEY);", database
    )
    settings = {
        "DATABASE": database,
        "TABLE": TABLE,
        "COUNT": str(round(seconds * WRITES_PER_S)),
        "PAUSE": str(1 / WRITES_PER_S),
    }
    script = "".join(f"{key}='{value}'\n" for key, value in settings.items()) + WRITER
    place = programs.Place(postgres.namespace, (await postgres.primary()).pod, CONTAINER)
    limit_s = seconds * 20 + 60
    completed = await programs.run(postgres.kube, place, "bash -s", [], script, limit_s)
    fields = (line.split() for line in completed.stdout.splitlines())
    return [Write(int(number), float(sent), float(at)) for number, sent, at in fields]


async def measure(
    options: argparse.Namespace, kube: Kube, moment: float, writes: list[Write], database: str
) -> Outcome:
    """Restore one moment, and count its rows."""
    began = time.monotonic()
    text = datetime.fromtimestamp(moment, UTC).isoformat()
    where, place = environment(options.environment), Place("copy", NAMESPACE)
    request = RestoreOptions(where, to=text, into=str(place), cluster=options.cluster)
    await restore(request, silent)
    elapsed_s = time.monotonic() - began
    body = dict(await copies.find(kube, place) or {})
    (row,) = await Postgres(kube, body).query(COUNT, database)
    return Outcome(
        text,
        sum(item.acknowledged <= moment for item in writes),
        sum(item.sent <= moment for item in writes),
        row["rows"],
        row["last"],
        round(elapsed_s, 1),
    )


async def run(options: argparse.Namespace) -> list[Outcome]:
    """Write, then restore the moments one after another."""
    outcomes: list[Outcome] = []
    async with access.connect(options.cluster) as reached:
        kube = reached.kube
        release = Release.of(environment(options.environment), reached.cluster.kubeconfig)
        postgres = await Postgres.of(kube, release)
        writes = await write(postgres, options.database, options.seconds)
        begin, end = writes[0].sent, writes[-1].acknowledged
        rate = len(writes) / (end - begin)
        load = {"writes": len(writes), "per_s": round(rate, 1), "seconds": round(end - begin)}
        print(json.dumps(load), flush=True)
        try:
            for _ in range(options.moments):
                # Moments after the clock of the backup's end, between the first and the last write.
                moment = random.uniform(begin, end)  # noqa: S311 - not a secret
                outcome = await measure(options, kube, moment, writes, options.database)
                print(json.dumps({**asdict(outcome), "exact": outcome.is_exact}), flush=True)
                outcomes.append(outcome)
        finally:
            await copies.remove(kube, Place("copy", NAMESPACE), Progress("copy", silent))
            await kube.delete("v1", "Namespace", NAMESPACE)
            await postgres.execute(f"DROP TABLE IF EXISTS {TABLE};", options.database)
    return outcomes


def main() -> None:
    """Measure, and exit with 1 if a copy is not exact."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster", help="as `vrooli --cluster` takes it")
    parser.add_argument("--environment", "-e", default="dev")
    parser.add_argument("--database", default="vrooli")
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long rows are written")
    outcomes = asyncio.run(run(parser.parse_args()))
    exact = sum(item.is_exact for item in outcomes)
    print(json.dumps({"exact": exact, "of": len(outcomes)}), flush=True)
    sys.exit(exact != len(outcomes))


if __name__ == "__main__":
    main()
