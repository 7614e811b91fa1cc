"""The logs of components: which lines, in which order, and as what."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from support.fakes.cluster import FakeCluster
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError, VrooliError
from vrooli.events import Event, LogLine, silent
from vrooli.kube import ApiError, NoAnswerError
from vrooli.kube.pods import ALL, LogRange
from vrooli.redaction import Redactor
from vrooli.release import secret_redaction
from vrooli.workflows.clusters import access
from vrooli.workflows.logs import logs, streams
from vrooli.workflows.logs.logs import LogOptions, release_logs
from vrooli.workflows.logs.streams import Follower, Line, Source

DEV = ENVIRONMENTS["dev"]


def pod(component: str, name: str, *, started: str = "2026-11-29T04:00:00Z") -> dict[str, Any]:
    """A pod of a component that runs since then."""
    labels = {
        "app.kubernetes.io/instance": DEV.release,
        "app.kubernetes.io/component": component,
    }
    container = {"name": component, "state": {"running": {"startedAt": started}}}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": DEV.namespace, "labels": labels},
        "status": {"containerStatuses": [container]},
    }


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """The server's and the jobs' pods with logs."""
    fake = FakeCluster(pod("server", "server-1"), pod("jobs", "jobs-1"), namespace=DEV.namespace)
    fake.server.logs |= {
        (DEV.namespace, "server-1", "server"): ["T1 one", 'T3 {"message": "three"}'],
        (DEV.namespace, "jobs-1", "jobs"): ["T2 two password=hidden-value"],
    }

    monkeypatch.setattr(access, "connect", connection_to(fake))
    return fake


def connection_to(fake: FakeCluster) -> Any:
    """What connects to a cluster, to this one."""

    @asynccontextmanager
    async def connect(text: str | None) -> AsyncIterator[Any]:
        class Reached:
            kube = fake

        yield Reached()

    return connect


async def _shown(**changes: Any) -> list[tuple[str, str, str]]:
    events: list[Event] = []
    await release_logs(LogOptions(DEV, **changes), events.append)
    lines = [event for event in events if isinstance(event, LogLine)]
    return [(line.component, line.source, line.text) for line in lines]


@pytest.mark.usefixtures("cluster")
async def test_the_lines_of_all_components_are_in_the_order_of_time() -> None:
    (one, two, three) = await _shown()
    assert one == ("server", "server-1", "one")
    assert two[:2] == ("jobs", "jobs-1")
    assert "hidden-value" not in two[2]
    assert three == ("server", "server-1", "three")


@pytest.mark.usefixtures("cluster")
async def test_lines_are_selected_by_component_and_pattern_and_stay_raw() -> None:
    assert await _shown(components=("server",), pattern=re.compile("th.ee"), readable=False) == [
        ("server", "server-1", '{"message": "three"}')
    ]


async def test_the_printed_log_files_are_part_of_the_log(cluster: FakeCluster) -> None:
    body = pod("jobs", "jobs-2")
    body["spec"] = {"containers": [{"name": "jobs"}, {"name": "log-files"}]}
    cluster.add(body)
    cluster.server.logs[DEV.namespace, "jobs-2", "jobs"] = ["T4 own"]
    cluster.server.logs[DEV.namespace, "jobs-2", "log-files"] = ["T5 from a file"]
    lines = await _shown(components=("jobs",))
    assert lines[1:] == [("jobs", "jobs-2", "own"), ("jobs", "jobs-2", "from a file")]


async def test_a_log_that_cannot_be_read_hides_no_other(cluster: FakeCluster) -> None:
    cluster.failures.add("log", "Pod", 400, "waiting to start", name="jobs-1")
    lines = await _shown()
    assert lines[0][:2] == ("jobs", "jobs-1")
    assert lines[0][2].startswith("no log: ")
    assert [line[2] for line in lines[1:]] == ["one", "three"]


async def test_the_error_is_reported_if_no_log_can_be_read(cluster: FakeCluster) -> None:
    cluster.failures.forbid("log", "Pod")
    with pytest.raises(VrooliError, match="refused to read the log"):
        await _shown()


@pytest.mark.usefixtures("cluster")
async def test_an_unknown_component_and_one_without_pods_are_refused() -> None:
    with pytest.raises(UsageError, match="Unknown component 'web'"):
        await release_logs(LogOptions(DEV, components=("web",)), silent)
    with pytest.raises(UsageError) as misspelled:
        await release_logs(LogOptions(DEV, components=("serv",)), silent)
    assert misspelled.value.advice.startswith("Did you mean 'server'? Use one of: ui, ")
    with pytest.raises(UsageError, match="no pods of ui"):
        await release_logs(LogOptions(DEV, components=("ui", "server")), silent)


async def test_the_end_of_logs_that_are_followed_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scripted = Scripted(pod("server", "a"))
    scripted.runs = [["T1 one"]]
    monkeypatch.setattr(access, "connect", connection_to(scripted))
    events: list[Event] = []
    options = LogOptions(DEV, components=("server",), follow=True)
    following = asyncio.create_task(release_logs(options, events.append))
    async with asyncio.timeout(60):
        while not any(isinstance(event, LogLine) for event in events):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    following.cancel()
    assert (await following).ok


def test_the_number_of_lines_depends_on_what_was_named() -> None:
    assert LogOptions(DEV).part == LogRange(tail=logs.TAIL_OF_ALL)
    assert LogOptions(DEV, components=("ui",)).part == LogRange(tail=logs.TAIL)
    assert LogOptions(DEV, since_s=60).part == LogRange(since_s=60)
    assert LogOptions(DEV, since_s=60, tail=5).part == LogRange(tail=5, since_s=60)


class Scripted(FakeCluster):
    """A cluster whose pods and logs change as a test says.

    Attributes:
        changes_of_pods: What the watch reports.
        runs: The logs that are read one after another; an error ends one.
        parts: Which part of a log each read asked for.
    """

    def __init__(self, *objects: dict[str, Any]) -> None:
        super().__init__(*objects, namespace=DEV.namespace)
        self.changes_of_pods: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self.runs: list[list[str | VrooliError]] = []
        self.parts: list[LogRange] = []

    async def watch(self, *place: Any, **options: Any) -> AsyncGenerator[Any, None]:
        while True:
            yield await self.changes_of_pods.get()

    async def logs(self, *place: Any, part: LogRange = ALL, **options: Any) -> AsyncIterator[str]:
        self.parts.append(part)
        for line in self.runs.pop(0):
            if isinstance(line, VrooliError):
                raise line
            yield line


class Refusing(FakeCluster):
    """A cluster that refuses watches."""

    async def watch(self, *place: Any, **options: Any) -> AsyncGenerator[Any, None]:
        if place:
            raise ApiError("watch Secret", httpx.codes.FORBIDDEN, "forbidden")
        yield  # a generator


async def _until_taken(cluster: Scripted, work: Coroutine[Any, Any, None]) -> None:
    """Do work that does not end, until it has taken all changes and read all logs."""
    task = asyncio.create_task(work)
    async with asyncio.timeout(60):
        while (cluster.runs or not cluster.changes_of_pods.empty()) and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)  # nothing more happens
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _follow(cluster: Scripted, first: LogRange = ALL) -> list[str]:
    """The lines until nothing more happens."""
    lines: list[Line] = []
    source = Source(DEV.namespace, "app.kubernetes.io/component=server", "server")
    present = await cluster.list("v1", "Pod", source.namespace, source.labels)
    await _until_taken(cluster, Follower(cluster, source, first, lines.append).run(present))
    return [line.text for line in lines]


async def test_a_pod_that_replaces_another_and_a_restarted_container_are_followed() -> None:
    cluster = Scripted(pod("server", "a"))
    cluster.runs = [["T1 one"], ["T2 two"], ["T3 three"]]
    again = pod("server", "a", started="2026-11-29T05:00:00Z")
    for change in (
        ("ADDED", pod("server", "a")),
        ("ADDED", pod("server", "b")),
        ("MODIFIED", again),
    ):
        cluster.changes_of_pods.put_nowait(change)
    assert sorted(await _follow(cluster, LogRange(tail=1))) == ["one", "three", "two"]
    assert cluster.parts == [LogRange(tail=1), ALL, ALL]


def secret(**data: str) -> dict[str, Any]:
    """A Secret of the release."""
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": DEV.namespace},
        "data": encoded,
    }


async def test_a_new_secret_is_masked_in_logs_that_are_followed_and_the_old_one_too() -> None:
    cluster = Scripted(secret(password="first-value"))
    known = await secret_redaction.fetch_values(cluster, DEV.namespace)
    events: list[Event] = []
    output = logs._Output(LogOptions(DEV), Redactor(known), events.append)
    for text in ("is first-value", "is second-value"):
        output.take("server", Line("T1", "a", "server", text))
        cluster.changes_of_pods.put_nowait(("MODIFIED", secret(password="second-value")))
        redactors = secret_redaction.follow(cluster, DEV.namespace, known)
        await _until_taken(cluster, output.renew(redactors))
        output.take("server", Line("T1", "a", "server", text))
    shown = [event.text for event in events if isinstance(event, LogLine)]
    assert shown == ["is (masked)", "is (masked)", "is (masked)", "is (masked)"]


async def test_without_the_permission_to_watch_secrets_logs_are_followed() -> None:
    cluster = Refusing(namespace=DEV.namespace)
    redactors = secret_redaction.follow(cluster, DEV.namespace, frozenset({"known-value"}))
    assert [redactor async for redactor in redactors] == []


class Interrupted(FakeCluster):
    """A cluster whose watches of Secrets fail twice before one reports a Secret."""

    def __init__(self, *errors: VrooliError) -> None:
        super().__init__(namespace=DEV.namespace)
        self.errors = list(errors)

    async def watch(self, *place: Any, **options: Any) -> AsyncGenerator[Any, None]:
        if self.errors:
            raise self.errors.pop(0)
        yield "ADDED", secret(password="later-value")
        raise ApiError("watch Secret", httpx.codes.FORBIDDEN, "forbidden")


async def test_masks_are_renewed_after_errors_that_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_redaction, "FIRST_PAUSE_S", 0.001)
    cluster = Interrupted(
        ApiError("watch Secret", httpx.codes.INTERNAL_SERVER_ERROR, "etcd has no leader"),
        NoAnswerError("The API server did not answer."),
        ApiError("watch Secret", httpx.codes.UNAUTHORIZED, "Unauthorized"),
    )
    redactors = secret_redaction.follow(cluster, DEV.namespace, frozenset())
    masked = [redactor.text("is later-value") async for redactor in redactors]
    assert masked == ["is (masked)"]
    assert cluster.errors == []


async def test_a_log_that_breaks_off_is_read_on_after_its_last_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "AGAIN_S", 0.0)
    cluster = Scripted(pod("server", "a"))
    cluster.runs = [["T1 one", "T2 two", VrooliError("cut")], ["T2 two", "T3 three"]]
    assert await _follow(cluster) == ["one", "two", "three"]
    assert cluster.parts == [ALL, LogRange(since="T2")]
