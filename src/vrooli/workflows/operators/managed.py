"""All that the operators of a cluster manage, and the releases that stand on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from vrooli.chart import manifest
from vrooli.chart.manifest import Manifest
from vrooli.events import Progress
from vrooli.grammar import counted
from vrooli.kube import Kube
from vrooli.kube.objects import Body, ref_of
from vrooli.operators import Operator
from vrooli.operators.installation.reconciled import fetch_resources
from vrooli.release import secret_redaction
from vrooli.release.model import Release
from vrooli.release.records import storage
from vrooli.release.records.discovery import find_releases
from vrooli.release.rollout import operator_logs, queries, readiness, wait


class Operated:
    """The objects of all releases, and the resources of the operators.

    Those that are not ready when they are read are not awaited.
    """

    def __init__(self, kube: Kube, kubeconfig: Path) -> None:
        self._kube, self._kubeconfig = kube, kubeconfig
        self._places: dict[str, dict[str, Manifest]] = {}
        self._unready: set[tuple[str, str]] = set()

    async def read(self, operators: Iterable[Operator], progress: Progress) -> Mapping[str, str]:
        """Read the objects, and why some are not ready.

        Args:
            operators: Whose resources are read.
            progress: Receives the progress.

        Raises:
            VrooliError: They cannot be read.
        """
        self._places, self._unready = {}, set()
        for namespace, name in await find_releases(self._kube):
            progress.report(f"reads the release {name} in namespace {namespace}")
            release = Release(name, namespace, self._kubeconfig)
            self._add(await storage.fetch_manifests(self._kube, release))
        for operator in operators:
            bodies = await fetch_resources(operator, self._kube)
            self._add(manifest.from_body(body, "") for body in bodies)
        unready: dict[str, str] = {}
        for namespace, objects in self._places.items():
            snapshot = await queries.fetch_release_snapshot(self._kube, list(objects.values()))
            reasons = readiness.unready_reasons(objects.values(), snapshot)
            unready |= {f"{key} in namespace {namespace}": it for key, it in reasons.items()}
            self._unready |= {(namespace, key) for key in reasons}
            self._places[namespace] = {
                key: item for key, item in objects.items() if key not in reasons
            }
        return unready

    def _add(self, items: Iterable[Manifest]) -> None:
        for item in items:
            if item.kind in readiness.RULES and not item.is_hook:
                self._places.setdefault(item.namespace, {}).setdefault(item.key, item)

    def is_awaited(self, body: Body) -> bool:
        """Whether an object was ready, or did not exist."""
        ref = ref_of(body)
        return (ref.namespace, str(ref)) not in self._unready

    @property
    def summary(self) -> str:
        """How much was read."""
        count = sum(map(len, self._places.values()))
        return f"{counted(count, 'object')} in {counted(len(self._places), 'namespace')} ready"

    async def await_ready(self, progress: Progress, timeout_s: float, since: datetime) -> None:
        """Wait until everything that was ready is ready again.

        Args:
            progress: Receives the progress.
            timeout_s: The timeout, seconds.
            since: When the change began.

        Raises:
            ReleaseFailedError: Something can't become ready by waiting.
            WaitTimeoutError: Not all were ready in time.
        """
        async with asyncio.TaskGroup() as group:
            for objects in self._places.values():
                waiting = wait.until_ready(
                    self._kube, tuple(objects.values()), progress, timeout_s, since=since
                )
                group.create_task(waiting)

    async def fetch_operator_errors(self) -> list[str]:
        """What the logs of the operators say about their resources, one line each."""
        lines: list[str] = []
        for namespace, objects in self._places.items():
            items = tuple(objects.values())
            snapshot = await queries.fetch_release_snapshot(self._kube, items)
            read = await operator_logs.read(self._kube, items, snapshot)
            redactor = await secret_redaction.redactor(self._kube, namespace)
            lines += [redactor.text(f"{key}: {message}") for key, message in read.errors.items()]
        return lines
