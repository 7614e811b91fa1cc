"""Sends the files of services to the pods that run them, whenever the files or the pods change."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vrooli.development import overlay
from vrooli.development.services import EDITED_SERVICES, EditedService
from vrooli.errors import VrooliError
from vrooli.events import Listener, LogLine
from vrooli.grammar import counted
from vrooli.kube import Kube, common_labels, objects
from vrooli.kube.status import pod_status
from vrooli.release import Release, process_identity

# The wait before a session that ended is opened again, seconds; it doubles with each failure in
# a row. After the last attempt, the next edit tries again.
RETRY_S, LONGEST_RETRY_S, ATTEMPTS = 1.0, 30.0, 8


def pack(files: Mapping[str, Path]) -> bytes:
    """A tar archive of files, after its length; files that were deleted meanwhile are omitted."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, path in files.items():
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    data = buffer.getvalue()
    return len(data).to_bytes(8, "big") + data


def read_answer(line: str, pod: str) -> Mapping[str, Any]:
    """What a pod answers; any pod with the marks of this process may be asked.

    Raises:
        VrooliError: It is not an answer of the receiver.
    """
    try:
        answer = json.loads(line)
        return {**answer, "changed": int(answer["changed"]), "state": str(answer["state"])}
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise VrooliError(f"Pod {pod} gave an answer of another form.") from error


def format_answer(answer: Mapping[str, Any], elapsed_s: float, service: str) -> str:
    """What happened to the files of a service, for people."""
    changed = f"{counted(answer['changed'], 'file')} changed"
    state = answer["state"]
    if state == "ended":
        return (
            f"{changed}; it ended with exit code {answer.get('exit')} and starts again with the "
            f"next edit: `vrooli logs {service}`"
        )
    if state == "silent":
        return f"{changed}; it doesn't accept connections yet: `vrooli logs {service}`"
    done = "it runs them" if state == "listening" else "they are in the pod"
    return f"{changed}; {done} after {elapsed_s:.2f} s"


@dataclass
class _Target:
    """A pod that runs edited files.

    Attributes:
        service: Its service.
        edited: Set when the files of the service have changed.
        began: When they did, monotonic.
        has_answered: Whether the present session has taken files.
    """

    service: EditedService
    task: asyncio.Task[None] | None = None
    edited: asyncio.Event = field(default_factory=asyncio.Event)
    began: float = field(default_factory=time.monotonic)
    has_answered: bool = False


class Synchronizer:
    """Keeps the files in the pods of a release equal to those on this host."""

    def __init__(self, kube: Kube, release: Release, listener: Listener) -> None:
        self._kube, self._release, self._listener = kube, release, listener
        self._targets: dict[str, _Target] = {}

    async def run(self) -> None:
        """Follow the pods, until cancelled.

        Raises:
            VrooliError: Pods can't be watched.
        """
        labels = f"{common_labels.INSTANCE}={self._release.name}"
        async with asyncio.TaskGroup() as group:
            watching = self._kube.watch("v1", "Pod", self._release.namespace, labels)
            async for event, pod in watching:
                self._follow(group, event, pod)

    def edit(self, service: EditedService) -> None:
        """Send the files of a service, which have changed."""
        for target in self._targets.values():
            if target.service == service:
                target.began = time.monotonic()
                target.edited.set()

    def _follow(self, group: asyncio.TaskGroup, event: str, pod: Mapping[str, Any]) -> None:
        name = objects.name(pod)
        service = self._service_of(pod)
        if event == "DELETED" or objects.is_deleted(pod) or service is None:
            target = self._targets.pop(name, None)
            if target is not None and target.task is not None:
                target.task.cancel()
        elif name not in self._targets and _is_running(pod, service):
            target = self._targets[name] = _Target(service)
            port = objects.port_number(pod, "http")
            target.task = group.create_task(self._serve(name, target, port))

    def _service_of(self, pod: Mapping[str, Any]) -> EditedService | None:
        """The service of a pod that this process updates."""
        if objects.annotations_of(pod).get(overlay.PROCESS) != process_identity.process():
            return None
        component = objects.labels(pod).get(common_labels.COMPONENT)
        return next((item for item in EDITED_SERVICES if item.name == component), None)

    async def _serve(self, pod: str, target: _Target, port: int) -> None:
        """Send files to a pod as long as it exists."""
        failures = 0
        while True:
            target.has_answered = False
            try:
                await self._send(pod, target, port)
            except VrooliError as error:
                # Its container was replaced, or the cluster has not responded for a moment.
                failures = 1 if target.has_answered else failures + 1
                if failures == ATTEMPTS:
                    self._report(
                        target.service, f"tries again after the next edit: {error.message}"
                    )
                    await target.edited.wait()
                    target.edited.clear()
                    failures = 0
                    continue
                self._report(target.service, f"connecting again: {error.message}")
            await asyncio.sleep(min(RETRY_S * 2 ** max(failures - 1, 0), LONGEST_RETRY_S))
            with contextlib.suppress(VrooliError):
                if await self._kube.get("v1", "Pod", pod, self._release.namespace) is None:
                    self._targets.pop(pod, None)  # its deletion was missed
                    return

    async def _send(self, pod: str, target: _Target, port: int) -> None:
        service = target.service
        command = overlay.receiver(service, port)
        namespace = self._release.namespace
        async with self._kube.session(namespace, pod, service.name, command) as session:
            while True:
                target.edited.clear()
                began = target.began
                await session.send(await asyncio.to_thread(pack, service.files()))
                answer = read_answer(await session.line(), pod)
                target.has_answered = True
                if answer["changed"]:
                    elapsed_s = time.monotonic() - began
                    self._report(service, format_answer(answer, elapsed_s, service.name))
                await target.edited.wait()

    def _report(self, service: EditedService, text: str) -> None:
        self._listener(LogLine(service.name, text, service.name))


def _is_running(pod: Mapping[str, Any], service: EditedService) -> bool:
    container = pod_status(pod).container(service.name)
    return container is not None and container.is_running
