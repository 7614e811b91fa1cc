"""What a release's pods, events and logs say now, kept in one file before anything is undone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.errors import VrooliError
from vrooli.kube import ApiError, Kube
from vrooli.redaction import Redactor
from vrooli.release import follow, hopeless, readiness
from vrooli.release.history import Release

# Lines of each container's log that are kept.
LOG_LINES = 200
# How long collecting may take before what there is is kept, seconds.
COLLECT_S = 20.0
# Events of a namespace that are kept, the newest.
EVENTS = 200

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Evidence:
    """What was seen of a release.

    Attributes:
        release: Its name.
        namespace: Its namespace.
        time: When it was looked at, ISO 8601.
        failure: Why it was looked at.
        lacking: What each object that isn't ready lacks, by kind and name.
        troubles: Pods that waiting doesn't mend.
        pods: Each pod's phase, conditions and containers, by name.
        events: The namespace's newest events, in words.
        logs: The end of each container's log, by pod and container; of its last run, too.
    """

    release: str
    namespace: str
    time: str
    failure: str
    lacking: Mapping[str, str]
    troubles: tuple[str, ...]
    pods: Mapping[str, Body]
    events: tuple[str, ...]
    logs: Mapping[str, str]

    def write(self, folder: Path, redactor: Redactor) -> Path:
        """Keep it in a new file, without secrets and for its owner only; gives the file."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stamp = "".join(sign for sign in self.time if sign.isalnum())
        path = folder / f"{self.release}-{stamp}.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(redactor.tree(asdict(self)), indent=2) + "\n")
        return path


async def collect(
    kube: Kube, release: Release, manifests: Iterable[Manifest], failure: str
) -> tuple[Evidence, Redactor]:
    """Look at all of it at once; what can't be read is left out and said so."""
    wanted = [found for found in manifests if not found.is_hook]
    seen = await follow.snapshot(kube, wanted) if wanted else readiness.Seen()
    pods = [*seen.pods({})]
    async with asyncio.TaskGroup() as group:
        events = group.create_task(_events(kube, release.namespace))
        logs = group.create_task(_logs(kube, pods))
        secrets = group.create_task(_secrets(kube, release.namespace))
    found = Evidence(
        release=release.name,
        namespace=release.namespace,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        failure=failure,
        lacking=readiness.lacks(wanted, seen),
        troubles=tuple(map(str, hopeless.troubles(pods, datetime.now(UTC)))),
        pods={pod["metadata"]["name"]: _of_pod(pod) for pod in pods},
        events=events.result(),
        logs=logs.result(),
    )
    return found, Redactor.of(secrets.result())


def _of_pod(pod: Body) -> Body:
    status = pod.get("status", {})
    return {
        "phase": status.get("phase", ""),
        "node": pod.get("spec", {}).get("nodeName", ""),
        "conditions": status.get("conditions", []),
        "containers": [
            {name: item.get(name) for name in _OF_CONTAINER if name in item}
            for item in hopeless.containers(pod)
        ],
    }


_OF_CONTAINER = ("name", "image", "ready", "restartCount", "state", "lastState")


async def _events(kube: Kube, namespace: str) -> tuple[str, ...]:
    found = await kube.list("v1", "Event", namespace)
    found.sort(key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    return tuple(map(_told, found[-EVENTS:]))


def _told(event: Body) -> str:
    what = event.get("involvedObject", {})
    when = event.get("lastTimestamp") or event.get("eventTime") or ""
    return (
        f"{when} {event.get('type', '')} {event.get('reason', '')} "
        f"{what.get('kind', '')}/{what.get('name', '')}: {event.get('message', '')}"
    )


async def _secrets(kube: Kube, namespace: str) -> list[Any]:
    """The namespace's Secrets, to mask their values; without the right to read them none."""
    try:
        return await kube.list("v1", "Secret", namespace)
    except ApiError:
        return []


async def _logs(kube: Kube, pods: Iterable[Body]) -> dict[str, str]:
    wanted = [item for pod in pods for item in _runs(pod)]
    texts: dict[str, str] = {}

    async def read(pod: Body, container: str, previous: bool) -> None:
        metadata = pod["metadata"]
        name = f"{metadata['name']}/{container}" + (" (before its restart)" if previous else "")
        try:
            lines = kube.logs(
                metadata["namespace"],
                metadata["name"],
                container,
                tail=LOG_LINES,
                previous=previous,
            )
            texts[name] = "\n".join([line async for line in lines])
        except VrooliError as error:
            texts[name] = f"(can't be read: {error})"

    try:
        async with asyncio.timeout(COLLECT_S), asyncio.TaskGroup() as group:
            for item in wanted:
                group.create_task(read(*item))
    except TimeoutError:
        texts["(the rest)"] = f"(could not be read within {COLLECT_S:.0f} s)"
    return dict(sorted(texts.items()))


def _runs(pod: Body) -> Iterator[tuple[Body, str, bool]]:
    """Every container that has run, and the run before where it was started again."""
    for item in hopeless.containers(pod):
        state = item.get("state", {})
        if "running" in state or "terminated" in state:
            yield pod, item["name"], False
        if item.get("lastState", {}).get("terminated"):
            yield pod, item["name"], True
