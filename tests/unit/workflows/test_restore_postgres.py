"""A restore of PostgreSQL in place: what is refused, what a failure leaves, how it ends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.release.database_pods import output, owned, pod, postgres_pod, psql
from support.release.records import helm_secret, record
from support.release.repository import FakeRepository, backup
from vrooli.backups import outages, restored
from vrooli.backups.restored import Phase, Restored
from vrooli.databases.postgres import pool, replication
from vrooli.databases.postgres.pool import Login
from vrooli.databases.postgres.session import Postgres
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import InterruptError, PrerequisiteError, UsageError, VrooliError
from vrooli.events import Event, LogLine, StepEnded, silent
from vrooli.kube import patience
from vrooli.kube.execution import Completed, Program
from vrooli.release.model import Release
from vrooli.steps import Done
from vrooli.workflows.clusters import access
from vrooli.workflows.clusters.access import Access
from vrooli.workflows.restores import end as restore_end
from vrooli.workflows.restores import postgres as restore_postgres
from vrooli.workflows.restores import steps as restore_steps
from vrooli.workflows.restores import switch as restore_switch
from vrooli.workflows.restores.postgres import PostgresRestoreOptions
from vrooli.workflows.safeguards.consent import Consent

DEV = ENVIRONMENTS["dev"]
RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
HOST, POD = "vrooli-pg-repo-host-0", "pg-a-0"
WAL = "00000001000000000000000E"
TO = PostgresRestoreOptions(DEV, to="14:05")
FOLDER = "/pgdata/vrooli-restore"

pytestmark = pytest.mark.anyio


class Clock(datetime):
    """The clock of this machine, which shows 14:30."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Clock:
        """The time."""
        return cls(2026, 11, 29, 14, 30, tzinfo=tz)


@dataclass
class Volume:
    """The volume of the primary, and what runs on it.

    Attributes:
        words: What the program in the pod reports about its state.
        verbs: The verbs that ran, without reads.
        failures: The error of a verb that fails.
        free: The free bytes.
        size: The bytes of the live data.
        memory: The free memory of the container.
        live_rows: The rows of the table in the live data; the restored ones have 2.
        followers: The replicas that stream.
        is_down: Whether the live server does not answer.
        options: The options of the last build.
        start: Lets Patroni start the server with the restored data.
    """

    words: set[str] = field(default_factory=set)
    verbs: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    free: int = 10**12
    live_rows: int = 5
    size: int = 10**6
    memory: str = "-"
    followers: list[str] = field(default_factory=list)
    is_down: bool = False
    options: list[str] = field(default_factory=list)
    start: Callable[[], None] = lambda: None

    def run(self, program: Program) -> Completed:
        """Run a program in the container of the database."""
        script, arguments = program.argv[2], program.argv[6:]
        if "bash -s" in script:
            return self._restore(*arguments)
        if "patronictl reinit" in script:
            scope, replica = arguments
            self.verbs.append(f"copy {scope} {replica}")
            self.followers.append(replica)
            return output(f"Success: reinitialize for member {replica}\n")
        if self.is_down and arguments[3:] != [FOLDER]:
            return Completed(2, "", "psql: error: connection to server on socket failed")
        rows = 2 if arguments[3:] == [FOLDER] else self.live_rows
        trimmed = replace(program, argv=program.argv[:9])
        return psql(lambda text: self._answer(text, rows))(trimmed)

    def _answer(self, text: str, rows: int) -> Completed:
        if "pg_stat_replication" not in text:
            return _answer(text, rows)
        fields = {"state": "streaming", "sync_state": "async", "lag": 0}
        lines = (json.dumps({"pod": pod, **fields}) for pod in self.followers)
        return output("".join(f"{line}\n" for line in lines))

    def _restore(self, verb: str, *arguments: str) -> Completed:
        if verb == "timelines":
            return output("1 0/5000028\n")
        if verb == "state":
            return output("\n".join(sorted(self.words)))
        if verb == "room":
            return output(f"{self.free} {self.size} {self.memory}\n")
        self.verbs.append(verb)
        if reason := self.failures.get(verb):
            return Completed(1, "", reason)
        match verb.removesuffix("-stopped"):
            case "build":
                self.words |= {"new"}
                self.options = list(arguments[2:])
            case "switch" | "undo":
                self.words = {"new"} if verb == "undo" else {"old"}
                if verb == "switch-stopped":
                    self.start()
                return output("aside /pgdata/vrooli-aside/1\nswitched 900")
            case "discard":
                self.words -= {"new"}
            case "finish":
                self.words -= {"old"}
        return output("")


def _answer(text: str, count: int) -> Completed:
    """Answer as a PostgreSQL with one table; the clock shows 14:30."""
    rows: list[dict[str, Any]] = []
    if "clock_timestamp" in text:
        rows = [{"time": "2026-11-29T14:30:00+00:00"}]
    elif "pg_last_xact_replay_timestamp" in text:
        rows = [{"time": "2026-11-29T14:29:00+00:00"}]
    elif "last_archived_time" in text:
        time = "2026-11-29T14:29:00+00:00"
        rows = [{"wal": WAL, "time": time, "failed": None, "is_failing": False}]
    elif "pg_current_wal_lsn" in text:
        rows = [{"wal": WAL}]
    elif "pg_control_checkpoint" in text:
        rows = [{"timeline": 1, "history": None}]
    elif "pg_namespace" in text and "pgbouncer" in text:
        rows = [{"count": 1}]
    elif "pg_is_in_recovery" in text:
        rows = [{"is_in_recovery": False}]
    elif "pg_database" in text:
        rows = [{"name": "vrooli"}]
    elif "gexec" in text:
        return output(f"public.posts,{count}\n")
    return output("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def volume() -> Volume:
    """The volume of the primary."""
    return Volume()


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, volume: Volume) -> FakeCluster:
    """A release with one backup, whose pool always accepts writes."""
    postgres = owned("PostgresCluster", "vrooli-pg", RELEASE.name)
    postgres["metadata"]["uid"] = "uid-of-vrooli-pg"
    fake = FakeCluster(
        namespace("dev"),
        postgres,
        postgres_pod(POD, "master"),
        pod(HOST, {}),
        helm_secret(RELEASE, record(1)),
    )
    repository = FakeRepository([backup("20261129-094420F")])
    fake.server.programs.handlers["dev", POD, "database"] = volume.run

    def start() -> None:
        volume.is_down = False
        fake.add(postgres_pod(POD, "master"))

    volume.start = start
    fake.server.programs.handlers["dev", HOST, "pgbackrest"] = repository.run

    @asynccontextmanager
    async def connect(text: str | None) -> AsyncIterator[Access]:
        reached = SimpleNamespace(kubeconfig=Path("kubeconfig"))
        yield Access(cast(Any, None), cast(Any, reached), fake)

    async def login_of(_: Postgres) -> Login:
        return Login("vrooli", "vrooli", "")

    async def exchange(_: Postgres, act: Any) -> float:
        return float((await act()).pause_s)

    monkeypatch.setattr(access, "connect", connect)
    monkeypatch.setattr(pool, "login_of", login_of)
    monkeypatch.setattr(restore_switch, "exchange", exchange)
    return fake


async def _record(cluster: FakeCluster) -> Restored | None:
    return await restored.fetch(await Postgres.of(cluster, RELEASE))


async def _store(cluster: FakeCluster, phase: Phase) -> None:
    now = datetime(2026, 11, 29, 14, 30, tzinfo=UTC)
    body = await Postgres.of(cluster, RELEASE)
    await restored.store(body, Restored(POD, "2026-11-29 14:05:00Z", now, now, phase))


async def test_the_data_are_compared_then_switched_and_the_previous_ones_kept(
    cluster: FakeCluster, volume: Volume
) -> None:
    lines: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, LogLine):
            lines.append(event.text)

    result = await restore_postgres.restore_postgres(TO, listen)
    assert volume.verbs == ["build", "prepare", "switch"]
    assert volume.words == {"old"}
    (table,) = result.tables
    assert (table.restored_rows, table.live_rows, result.pause_s) == (2, 5, 0.9)
    assert lines == ["vrooli: public.posts: 5 rows now, 2 rows after the restore"]
    assert result.undo_command == "vrooli restore --undo -e dev"
    stored = await _record(cluster)
    assert stored is not None
    assert stored.phase is Phase.SWITCHED


@pytest.mark.parametrize(("to", "reason"), [("14:31", "future"), ("2026-11-28", "before the end")])
async def test_a_moment_out_of_range_changes_nothing(
    cluster: FakeCluster, volume: Volume, to: str, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason) as failure:
        await restore_postgres.restore_postgres(PostgresRestoreOptions(DEV, to=to), silent)
    assert "Moments that can be restored: 2026-11-29" in failure.value.advice
    assert (volume.verbs, cluster.changes) == ([], [])


async def test_missing_room_is_reported_in_bytes_before_anything_changes(
    cluster: FakeCluster, volume: Volume
) -> None:
    volume.free = 1000
    with pytest.raises(PrerequisiteError, match=r"take up to 1104981421 bytes .*, 1000 bytes"):
        await restore_postgres.restore_postgres(TO, silent)
    assert (volume.verbs, cluster.changes) == ([], [])


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("tablespaces", "has tablespaces"),
        ("layout", "volume of its own"),
        ("old", "of before another restore"),
        ("exchanging", "of before another restore"),
    ],
)
async def test_what_cannot_be_restored_beside_is_refused(
    cluster: FakeCluster, volume: Volume, word: str, reason: str
) -> None:
    volume.words = {word}
    with pytest.raises(PrerequisiteError, match=reason):
        await restore_postgres.restore_postgres(TO, silent)
    assert (volume.verbs, cluster.changes) == ([], [])


async def test_a_restore_is_confirmed_in_every_environment(
    cluster: FakeCluster, volume: Volume
) -> None:
    with pytest.raises(UsageError, match="replace the data of PostgreSQL of vrooli-dev"):
        await restore_postgres.restore_postgres(TO, silent, Consent())
    assert volume.verbs == []


async def test_a_declined_restore_leaves_nothing(cluster: FakeCluster, volume: Volume) -> None:
    with pytest.raises(InterruptError):
        await restore_postgres.restore_postgres(TO, silent, Consent(ask=lambda _: False))
    assert volume.verbs == ["build", "discard"]
    assert (volume.words, await _record(cluster)) == (set(), None)


async def test_a_failed_restore_does_not_block_the_next(
    cluster: FakeCluster, volume: Volume
) -> None:
    volume.failures["build"] = "recovery ended before configured recovery target was reached"
    with pytest.raises(VrooliError, match="recovery ended before"):
        await restore_postgres.restore_postgres(TO, silent)
    assert (volume.words, await _record(cluster)) == (set(), None)
    volume.failures.clear()
    await restore_postgres.restore_postgres(TO, silent)
    assert volume.words == {"old"}


async def test_a_restore_that_was_killed_before_the_switch_is_started_again(
    cluster: FakeCluster, volume: Volume
) -> None:
    await _store(cluster, Phase.BUILDING)
    volume.words = {"new"}
    await restore_postgres.restore_postgres(TO, silent)
    assert volume.verbs == ["build", "prepare", "switch"]


async def test_the_rest_of_a_killed_restore_does_not_replace_the_check_of_room(
    cluster: FakeCluster, volume: Volume
) -> None:
    await _store(cluster, Phase.BUILDING)
    volume.words, volume.free = {"new"}, 0
    with pytest.raises(PrerequisiteError, match="no room") as refused:
        await restore_postgres.restore_postgres(TO, silent)
    assert "`vrooli restore --undo`" in refused.value.advice
    assert volume.verbs == []


@pytest.fixture
def replica(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> str:
    """A replica that does not follow by itself."""
    monkeypatch.setattr(restore_switch, "FOLLOW_S", 0.01)
    cluster.add(postgres_pod("pg-b-0", "replica"))
    return "pg-b-0"


async def test_the_data_are_copied_to_replicas_after_a_backup(
    cluster: FakeCluster, volume: Volume, replica: str
) -> None:
    events: list[Event] = []
    await restore_postgres.restore_postgres(TO, events.append)
    assert volume.verbs == ["build", "prepare", "switch", f"copy vrooli-pg-ha {replica}"]
    ended = {item.step: item.detail for item in events if isinstance(item, StepEnded)}
    assert ended["replicas"] == f"1 of 1 follow; the data were copied to {replica}"
    assert list(ended)[-2:] == ["backup", "replicas"]

    volume.followers.remove(replica)
    await restore_end.undo_restore(TO, silent)
    assert volume.verbs[-4:] == ["prepare-undo", "undo", f"copy vrooli-pg-ha {replica}", "discard"]


async def test_a_replica_that_follows_is_left_alone(
    cluster: FakeCluster, volume: Volume, replica: str
) -> None:
    volume.followers.append(replica)
    await restore_postgres.restore_postgres(TO, silent)
    assert volume.verbs == ["build", "prepare", "switch"]


async def test_a_refusal_of_patroni_is_an_error(
    cluster: FakeCluster, volume: Volume, replica: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(replication.REINITIALIZE, success="another answer")
    monkeypatch.setattr(replication, "REINITIALIZE", other)
    with pytest.raises(VrooliError, match=f"did not copy the data to {replica}: Success: reinit"):
        await restore_postgres.restore_postgres(TO, silent)


@pytest.mark.parametrize(
    ("end", "verb"), [(restore_end.finish_restore, "finish"), (restore_end.undo_restore, "discard")]
)
async def test_the_end_of_a_killed_command_lets_the_replicas_follow(
    cluster: FakeCluster, volume: Volume, replica: str, end: Any, verb: str
) -> None:
    await _store(cluster, Phase.SWITCHED if verb == "finish" else Phase.UNDOING)
    volume.words = {"old" if verb == "finish" else "new"}
    await end(TO, silent)
    assert volume.verbs == [verb, f"copy vrooli-pg-ha {replica}"]


async def test_a_replica_that_was_promoted_in_an_exchange_has_the_data_of_before(
    cluster: FakeCluster, volume: Volume, replica: str
) -> None:
    await _store(cluster, Phase.SWITCHING)
    volume.words = {"exchanging", "new", "old"}
    cluster.add(postgres_pod(POD, "replica"), postgres_pod(replica, "master"))
    cluster.server.programs.handlers["dev", replica, "database"] = volume.run
    with pytest.raises(VrooliError, match="pg-b-0 has become the primary before"):
        await restore_end.finish_restore(TO, silent)
    volume.words, volume.verbs = {"exchanging", "new", "old"}, []
    await restore_end.undo_restore(TO, silent)
    assert volume.verbs == ["undo", f"copy vrooli-pg-ha {POD}", "discard"]


async def test_another_primary_after_the_switch_is_an_error(
    cluster: FakeCluster, volume: Volume, replica: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail_over(*_: object) -> Done:
        cluster.add(postgres_pod(POD, "replica"), postgres_pod(replica, "master"))
        return Done(changed=True)

    monkeypatch.setattr(restore_switch, "back_up", fail_over)
    with pytest.raises(VrooliError, match="pg-b-0 has become the primary before") as failure:
        await restore_postgres.restore_postgres(TO, silent)
    assert "vrooli restore --finish" in failure.value.advice


async def test_a_restore_that_was_killed_in_the_switch_can_be_undone(
    cluster: FakeCluster, volume: Volume
) -> None:
    await _store(cluster, Phase.SWITCHING)
    volume.words = {"exchanging", "new", "old"}
    result = await restore_end.undo_restore(TO, silent)
    assert volume.verbs == ["undo", "discard"]
    assert (result.is_undone, await _record(cluster)) == (True, None)
    assert result.aside == "/pgdata/vrooli-aside/1"


async def test_a_restore_that_was_killed_in_the_switch_can_be_finished(
    cluster: FakeCluster, volume: Volume
) -> None:
    await _store(cluster, Phase.SWITCHING)
    volume.words = {"exchanging", "new", "old"}
    await restore_end.finish_restore(TO, silent)
    assert volume.verbs == ["switch", "finish"]
    assert await _record(cluster) is None


async def test_an_undo_that_was_killed_is_not_finished(
    cluster: FakeCluster, volume: Volume
) -> None:
    await _store(cluster, Phase.UNDOING)
    volume.words = {"exchanging", "new"}
    with pytest.raises(PrerequisiteError, match="is being undone"):
        await restore_end.finish_restore(TO, silent)
    assert volume.verbs == []


@pytest.mark.parametrize("end", [restore_end.undo_restore, restore_end.finish_restore])
async def test_without_the_pod_of_the_data_nothing_ends(
    cluster: FakeCluster, volume: Volume, end: Any
) -> None:
    await _store(cluster, Phase.SWITCHED)
    cluster.add(postgres_pod("pg-b-0", "master"))
    cluster.server.programs.handlers["dev", "pg-b-0", "database"] = volume.run
    await cluster.delete("v1", "Pod", POD, "dev")
    with pytest.raises(PrerequisiteError, match="Pod pg-a-0 of vrooli-dev") as failure:
        await end(TO, silent)
    assert "kubectl delete configmap vrooli-pg-restore -n dev" in failure.value.advice
    assert await _record(cluster) is not None


async def test_what_another_command_changed_during_the_prompt_is_not_ended(
    cluster: FakeCluster, volume: Volume
) -> None:
    await _store(cluster, Phase.SWITCHED)
    volume.words = {"old"}

    def ask(_: str) -> bool:
        volume.words = {"new"}
        return True

    with pytest.raises(PrerequisiteError, match="changed this restore in the meantime"):
        await restore_end.finish_restore(TO, silent, Consent(ask=ask))
    assert volume.verbs == []


async def test_data_that_have_grown_since_the_backup_need_more_room(
    cluster: FakeCluster, volume: Volume
) -> None:
    volume.size = volume.free = 10**10
    with pytest.raises(PrerequisiteError, match=r"take up to 11073741824 bytes"):
        await restore_postgres.restore_postgres(TO, silent)
    assert (volume.verbs, cluster.changes) == ([], [])


async def test_missing_memory_is_reported_before_anything_changes(
    cluster: FakeCluster, volume: Volume
) -> None:
    volume.memory = str(10 * 1024**2)
    with pytest.raises(PrerequisiteError, match="no memory for a second server") as failure:
        await restore_postgres.restore_postgres(TO, silent)
    assert "pgoPostgresql.resources.limits.memory" in failure.value.advice
    assert (volume.verbs, cluster.changes) == ([], [])


async def test_an_undo_that_was_killed_is_completed(cluster: FakeCluster, volume: Volume) -> None:
    await _store(cluster, Phase.UNDOING)
    volume.words = {"exchanging", "new"}
    await restore_end.undo_restore(TO, silent)
    assert volume.verbs == ["undo", "discard"]
    assert await _record(cluster) is None


async def test_the_previous_data_come_back(cluster: FakeCluster, volume: Volume) -> None:
    await restore_postgres.restore_postgres(TO, silent)
    volume.verbs.clear()
    result = await restore_end.undo_restore(TO, silent)
    assert volume.verbs == ["prepare-undo", "undo", "discard"]
    assert (result.pause_s, volume.words) == (0.9, set())


async def test_the_previous_data_are_deleted(cluster: FakeCluster, volume: Volume) -> None:
    await restore_postgres.restore_postgres(TO, silent)
    volume.verbs.clear()
    result = await restore_end.finish_restore(TO, silent)
    assert (volume.verbs, volume.words, result.is_undone) == (["finish"], set(), False)
    assert await _record(cluster) is None


async def test_data_that_are_not_live_are_not_finished(
    cluster: FakeCluster, volume: Volume
) -> None:
    await _store(cluster, Phase.BUILDING)
    volume.words = {"new"}
    with pytest.raises(PrerequisiteError, match="restored data that are not live"):
        await restore_end.finish_restore(TO, silent)
    await restore_end.undo_restore(TO, silent)
    assert (volume.verbs, await _record(cluster)) == (["discard"], None)


@pytest.mark.parametrize("end", [restore_end.undo_restore, restore_end.finish_restore])
async def test_without_a_restore_there_is_nothing_to_end(cluster: FakeCluster, end: Any) -> None:
    with pytest.raises(PrerequisiteError, match="There is no restore of PostgreSQL"):
        await end(TO, silent)


async def test_data_in_the_volume_of_a_replica_do_not_come_back(
    cluster: FakeCluster, volume: Volume
) -> None:
    await _store(cluster, Phase.SWITCHED)
    volume.words = {"old"}
    cluster.add(postgres_pod(POD, "replica"), postgres_pod("pg-b-0", "master"))
    cluster.server.programs.handlers["dev", "pg-b-0", "database"] = volume.run
    with pytest.raises(PrerequisiteError, match="pg-b-0 is the primary") as failure:
        await restore_end.undo_restore(TO, silent)
    assert "vrooli switchover postgres --to pg-a-0" in failure.value.advice
    assert volume.verbs == []


@pytest.fixture
def outage(cluster: FakeCluster, volume: Volume) -> None:
    """PostgreSQL does not answer; its pod runs programs and has no role any more."""
    volume.is_down = True
    cluster.add(postgres_pod(POD, "replica", is_ready=False))


@pytest.mark.parametrize("to", ["latest", "14:05"])
@pytest.mark.usefixtures("outage")
async def test_a_postgresql_that_does_not_answer_is_restored(
    cluster: FakeCluster, volume: Volume, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore_steps, "datetime", Clock)
    lines: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, LogLine):
            lines.append(event.text)

    result = await restore_postgres.restore_postgres(PostgresRestoreOptions(DEV, to=to), listen)
    assert volume.verbs == ["build-stopped", "prepare-stopped", "switch-stopped"]
    assert lines == ["vrooli: public.posts: 2 rows after the restore", *outages.CONSEQUENCES]
    (table,) = result.tables
    assert (table.restored_rows, table.live_rows) == (2, None)
    assert result.differences == outages.CONSEQUENCES
    assert result.moment == datetime(2026, 11, 29, 14, 5 if to == "14:05" else 29, tzinfo=UTC)
    assert volume.options[:2] == ["--set=20261129-094420F", "--type=time"] or to == "latest"
    assert (volume.options[-1] == "--type=default") is (to == "latest")
    stored = await _record(cluster)
    assert stored is not None
    assert (stored.phase, stored.moment) == (Phase.SWITCHED, result.moment)


@pytest.mark.usefixtures("outage")
async def test_the_prompt_says_that_nothing_can_be_counted(
    cluster: FakeCluster, volume: Volume
) -> None:
    questions: list[str] = []

    def ask(question: str) -> bool:
        questions.append(question)
        return False

    options = PostgresRestoreOptions(DEV, to="latest")
    with pytest.raises(InterruptError):
        await restore_postgres.restore_postgres(options, silent, Consent(ask=ask))
    assert "which does not answer" in questions[0]
    assert volume.verbs == ["build-stopped", "discard"]


@pytest.mark.usefixtures("outage")
async def test_a_postgresql_that_answers_again_during_the_prompt_is_not_replaced(
    cluster: FakeCluster, volume: Volume
) -> None:
    def ask(_: str) -> bool:
        volume.is_down = False
        cluster.add(postgres_pod(POD, "master"))
        return True

    options = PostgresRestoreOptions(DEV, to="latest")
    with pytest.raises(PrerequisiteError, match="answers again"):
        await restore_postgres.restore_postgres(options, silent, Consent(ask=ask))
    assert volume.verbs == ["build-stopped", "discard"]


@pytest.mark.usefixtures("outage")
async def test_a_moment_after_the_last_transaction_has_the_advice_to_take_the_latest(
    cluster: FakeCluster, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore_steps, "datetime", Clock)
    volume.failures["build-stopped"] = "recovery ended before configured recovery target"
    with pytest.raises(VrooliError, match="recovery ended before") as failure:
        await restore_postgres.restore_postgres(TO, silent)
    assert "--to latest" in failure.value.advice
    assert await _record(cluster) is None


@pytest.mark.usefixtures("outage")
async def test_a_replica_that_runs_would_be_promoted_in_the_place_of_the_restored_data(
    cluster: FakeCluster, volume: Volume
) -> None:
    cluster.add(postgres_pod("pg-b-0", "replica"))
    cluster.server.programs.handlers["dev", "pg-b-0", "database"] = volume.run
    with pytest.raises(PrerequisiteError, match="pg-b-0 runs as a replica"):
        await restore_postgres.restore_postgres(TO, silent)
    assert (volume.verbs, cluster.changes) == ([], [])


async def test_without_a_pod_that_runs_programs_nothing_is_restored_in_place(
    cluster: FakeCluster, volume: Volume
) -> None:
    await cluster.delete("v1", "Pod", POD, "dev")
    with pytest.raises(PrerequisiteError, match="no pod of it runs programs") as failure:
        await restore_postgres.restore_postgres(TO, silent)
    assert "--into" in failure.value.advice
    assert volume.verbs == []


async def test_the_latest_moment_of_a_postgresql_that_answers_is_now(
    cluster: FakeCluster, volume: Volume
) -> None:
    result = await restore_postgres.restore_postgres(replace(TO, to="latest"), silent)
    assert volume.verbs == ["build", "prepare", "switch"]
    assert result.moment == datetime(2026, 11, 29, 14, 30, tzinfo=UTC)


@pytest.fixture
def back_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client does not pause between two attempts."""
    monkeypatch.setattr(patience, "PAUSE_S", 0.0)


def _lose_after(cluster: FakeCluster, volume: Volume, verb: str, refused: int) -> None:
    """Let the API server be gone after a verb has run in the pod, for some connections."""
    programs, run = cluster.server.programs, volume.run

    def handle(program: Program) -> Completed:
        before = len(volume.verbs)
        completed = run(program)
        if volume.verbs[before:] == [verb]:
            programs.handlers["dev", POD, "database"] = run
            programs.lost = [refused]
        return completed

    programs.handlers["dev", POD, "database"] = handle


@pytest.mark.usefixtures("back_soon")
@pytest.mark.parametrize(
    ("verb", "verbs"),
    [
        ("build", ["build", "build", "prepare", "switch"]),
        ("prepare", ["build", "prepare", "prepare", "switch"]),
        ("switch", ["build", "prepare", "switch"]),
    ],
)
async def test_a_restore_goes_on_when_the_api_server_is_back(
    cluster: FakeCluster, volume: Volume, verb: str, verbs: list[str]
) -> None:
    _lose_after(cluster, volume, verb, refused=8)
    await restore_postgres.restore_postgres(TO, silent)
    assert volume.verbs == verbs
    assert cluster.server.outage.refused == 8
    stored = await _record(cluster)
    assert stored is not None
    assert stored.phase is Phase.SWITCHED


@pytest.mark.parametrize(
    ("verb", "done", "interrupted"),
    [("build", "WAL", "Restored data"), ("switch", "WAL, .*Preparation", "Switch")],
)
async def test_a_restore_without_an_api_server_names_what_is_done_and_what_is_next(
    cluster: FakeCluster,
    volume: Volume,
    verb: str,
    done: str,
    interrupted: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "PAUSE_S", 0.0)
    monkeypatch.setattr(patience, "OUTAGE_S", 0.05)
    _lose_after(cluster, volume, verb, refused=cluster.server.outage.ALL)
    with pytest.raises(
        VrooliError, match=f"Done: {done}. Interrupted: {interrupted}; what"
    ) as failure:
        await restore_postgres.restore_postgres(TO, silent)
    assert "`vrooli status` shows a restore that has not ended" in failure.value.advice
    cluster.server.outage.left = 0
    cluster.remove("Lease", "vrooli-dev-deploy")  # the next command takes it over
    if verb == "build":
        await restore_postgres.restore_postgres(TO, silent)
    else:
        await restore_end.finish_restore(TO, silent)
        assert await _record(cluster) is None
