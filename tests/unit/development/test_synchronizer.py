"""Pods of this process get the files of their service at once, and again after each edit."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from vrooli.development import overlay
from vrooli.development import synchronizer as synchronizer_module
from vrooli.development.pod_programs import receiver
from vrooli.development.services import EDITED_SERVICES
from vrooli.development.synchronizer import Synchronizer, format_answer, read_answer
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import VrooliError
from vrooli.events import Event, LogLine
from vrooli.release import Release, process_identity

RELEASE = Release.of(ENVIRONMENTS["dev"], Path("/kubeconfig"))
SERVER = EDITED_SERVICES[0]
PORT = {"name": "http", "containerPort": 5329}


def pod(name: str, component: str, process: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/component": component},
            "annotations": {overlay.PROCESS: process},
        },
        "spec": {"containers": [{"name": component, "ports": [PORT]}]},
        "status": {"containerStatuses": [{"name": component, "state": {"running": {}}}]},
    }


class Receiving:
    """A session with the program that receives files."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._answers = folder, asyncio.Queue[str]()

    async def send(self, message: bytes) -> None:
        changed = receiver.update(self._folder, receiver.unpack(message[8:]))
        await self._answers.put(json.dumps({"changed": changed, "state": "listening"}))

    async def line(self) -> str:
        return await self._answers.get()


class Pods:
    """The pods of a cluster, each with a folder of edited files."""

    def __init__(self, folder: Path, *bodies: dict[str, Any]) -> None:
        self._folder, self._bodies = folder, bodies
        self.commands: list[Sequence[str]] = []

    async def watch(self, *_: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        for body in self._bodies:
            yield "ADDED", body
        await asyncio.Event().wait()

    @asynccontextmanager
    async def session(
        self, _: str, name: str, __: str, argv: Sequence[str]
    ) -> AsyncIterator[Receiving]:
        self.commands.append(argv)
        folder = self._folder / name
        folder.mkdir()
        yield Receiving(folder)


async def test_only_pods_of_this_process_get_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "api.py"
    source.write_text("version = 1\n")
    monkeypatch.setattr(type(SERVER), "files", lambda _: {"vrooli_server/api.py": source})
    pods: Any = Pods(
        tmp_path,
        pod("ours", "server", process_identity.process()),
        pod("of-another", "server", "machine/1/1"),
        pod("adminer", "adminer", process_identity.process()),
    )
    events: asyncio.Queue[Event] = asyncio.Queue()
    synchronizer = Synchronizer(pods, RELEASE, events.put_nowait)
    running = asyncio.create_task(synchronizer.run())
    try:
        async with asyncio.timeout(60):
            assert "1 file changed; it runs them" in text(await events.get())
            source.write_text("version = 2\n")
            synchronizer.edit(SERVER)
            assert "1 file changed; it runs them" in text(await events.get())
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    assert (tmp_path / "ours/vrooli_server/api.py").read_text() == "version = 2\n"
    assert [command[-1] for command in pods.commands] == ["5329"]


async def test_a_pod_that_takes_no_files_is_asked_again_a_few_times_and_after_each_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(Pods):
        attempts = 0

        @asynccontextmanager
        async def session(self, *words: Any) -> AsyncIterator[Receiving]:
            self.attempts += 1
            if words:
                raise VrooliError("python3: no such file")
            yield Receiving(tmp_path)

        async def get(self, *_: str) -> dict[str, Any]:
            return self._bodies[0]

    monkeypatch.setattr(synchronizer_module, "RETRY_S", 0.0)
    pods: Any = Refusing(tmp_path, pod("ours", "server", process_identity.process()))
    events: asyncio.Queue[Event] = asyncio.Queue()
    synchronizer = Synchronizer(pods, RELEASE, events.put_nowait)
    running = asyncio.create_task(synchronizer.run())
    try:
        async with asyncio.timeout(60):
            for total in (1, 2):
                texts = [text(await events.get()) for _ in range(synchronizer_module.ATTEMPTS)]
                assert texts[-1] == "tries again after the next edit: python3: no such file"
                await asyncio.sleep(0.01)
                assert pods.attempts == total * synchronizer_module.ATTEMPTS
                synchronizer.edit(SERVER)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def text(event: Event) -> str:
    assert isinstance(event, LogLine)
    return event.text


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"state": "written"}, "they are in the pod after 0.50 s"),
        ({"state": "ended", "exit": 1}, "ended with exit code 1"),
        ({"state": "silent"}, "doesn't accept connections yet"),
    ],
)
def test_the_state_of_the_service_is_reported(answer: dict[str, Any], expected: str) -> None:
    line = format_answer({"changed": 2, **answer}, 0.5, "server")
    assert line.startswith("2 files changed; ")
    assert expected in line


@pytest.mark.parametrize(
    "line", ["", "x", "[]", "1", '{"changed": "x"}', '{"changed": 1e999}', "[" * 100_000]
)
def test_an_answer_of_another_program_ends_only_its_session(line: str) -> None:
    with pytest.raises(VrooliError, match="Pod p gave an answer of another form"):
        read_answer(line, "p")


async def test_a_pod_of_others_without_a_port_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(SERVER), "files", lambda _: {})
    body = pod("foreign", "server", process_identity.process())
    del body["spec"]["containers"][0]["ports"]
    pods: Any = Pods(tmp_path, body)
    running = asyncio.create_task(Synchronizer(pods, RELEASE, lambda _: None).run())
    async with asyncio.timeout(5):
        while not pods.commands:  # noqa: ASYNC110 - of a task
            await asyncio.sleep(0.01)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert pods.commands[0][-1] == "0"
