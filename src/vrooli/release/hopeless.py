"""Pods and hooks that won't become ready by waiting: pure readings of what was seen, in words.

Each rule says how long its state must last before it is believed: nothing where waiting can't
change it, some seconds where it may pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vrooli.release import autoscaling
from vrooli.release.scene import Scene, hook_of

Body = Mapping[str, Any]

# The name itself is wrong, or a node has no such image and may not pull: known at once.
WRONG_IMAGE = ("InvalidImageName", "ErrImageNeverPull")
UNPULLED = ("ErrImagePull", "ImagePullBackOff")
# What registries and resolvers answer about an image that isn't there.
NO_IMAGE = re.compile(
    r"not found|manifest unknown|name unknown|no such host|does not exist", re.IGNORECASE
)
# What runtimes answer about an image that is there for other processors only.
OTHER_PLATFORM = re.compile(
    r"no match for platform|no matching manifest for"
    r"|does not match the (?:specified|detected) platform"
    r"|no image found in (?:manifest list|image index)"
)
# A registry that is slow or restarts, a credential that comes a moment later: seconds.
PULL_S = 12.0
# An own end, the same twice, is nobody else's fault where everything else is well; killed
# containers (128 + SIGKILL, 128 + SIGTERM) may have been slow.
OWN_CRASHES = 2
KILLED = (137, 143)
# One crash may be a database that isn't there yet; the third isn't.
CRASHES = 3
# Not even while the databases are on their way: those take a minute, this many crashes longer.
EARLY_CRASHES = 6
# Claims are made, volumes bound and nodes come up within this, seconds, on a busy machine, too.
UNSCHEDULABLE_S = 60.0
PASSING = re.compile(r"unbound|persistentvolumeclaim|node\.kubernetes\.io/", re.IGNORECASE)
# No node has the room or the labels: another would have to be made. Autoscalers look every 10 s.
NO_ROOM_S = 30.0
# A container that was failing before the deploy may be mended by it: seconds.
FAILING_BEFORE_S = 60.0
# A Secret or ConfigMap that is missing although all that makes them is ready: seconds.
NO_CONFIG_S = 10.0
NO_SECRET = re.compile(r'secret "([^"]+)" not found')


@dataclass(frozen=True)
class Trouble:
    """Why a pod, or a hook, can't become ready.

    Attributes:
        pod: The pod's name.
        container: The container's, or empty when the pod as a whole is meant.
        reason: Kubernetes' word for it.
        message: What it says about it.
        crashed: Whether the container ran and ended, so that its log tells why.
        lasts_s: How long it must last before it is believed, seconds.
    """

    pod: str
    container: str
    reason: str
    message: str
    crashed: bool = False
    lasts_s: float = 0.0

    @property
    def place(self) -> str:
        """Where it is: pod and container."""
        return f"{self.pod}/{self.container}" if self.container else self.pod

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" + (f" ({self.message})" if self.message else "")


def containers(pod: Body) -> list[Body]:
    """What a pod says of its containers, those that run before the others first."""
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def earlier_ends(
    pods: Iterable[Body], began: datetime, known: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """How often containers of pods from before the deploy had ended when they were first seen.

    One that ran then had got over its earlier ends. One that was already failing had not: its
    earlier ends count.

    Args:
        pods: The pods.
        began: When the deploy began.
        known: Pod's uid and container of those that were seen before.
    """
    return {
        key: container.get("restartCount", 0)
        for pod in pods
        if datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) < began
        for container in containers(pod)
        if (key := (pod["metadata"].get("uid", ""), container["name"])) not in known
        if "running" in container.get("state", {})
    }


def troubles(pods: Iterable[Body], now: datetime, scene: Scene | None = None) -> list[Trouble]:
    """Every trouble of the pods; those that a newer version replaces don't count.

    Args:
        pods: The pods.
        now: The time.
        scene: What else is known; without it every pod counts, and nothing is known of the rest.
    """
    scene = scene or Scene()
    return [trouble for pod in scene.current(pods) for trouble in _of_pod(pod, now, scene)]


def _of_pod(pod: Body, now: datetime, scene: Scene) -> Iterator[Trouble]:
    status = pod.get("status", {})
    if not autoscaling.awaits_node(pod, scene.seen, now):
        yield from _unschedulable(pod, now)
    for container in containers(pod):
        yield from _of_container(pod, container, scene)
    if status.get("phase") == "Failed" and scene.gives_up(pod):
        yield _failed(pod)


def _unschedulable(pod: Body, now: datetime) -> Iterator[Trouble]:
    for item in pod.get("status", {}).get("conditions", []):
        if item["type"] == "PodScheduled" and item.get("reason") == "Unschedulable":
            message = item.get("message", "")
            limit = UNSCHEDULABLE_S if PASSING.search(message) else NO_ROOM_S
            since = datetime.fromisoformat(item["lastTransitionTime"]).astimezone(UTC)
            if (now - since).total_seconds() >= limit:
                yield Trouble(pod["metadata"]["name"], "", "Unschedulable", message)


def _of_container(pod: Body, container: Body, scene: Scene) -> Iterator[Trouble]:
    waiting = container.get("state", {}).get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    name, part = pod["metadata"]["name"], container["name"]
    is_nowhere = NO_IMAGE.search(message) or OTHER_PLATFORM.search(message)
    if reason in WRONG_IMAGE or (reason in UNPULLED and is_nowhere):
        yield Trouble(name, part, reason, _naming(container, message), lasts_s=scene.doubt_s(pod))
    elif reason in UNPULLED:
        yield Trouble(name, part, reason, _naming(container, message), lasts_s=PULL_S)
    elif reason == "CreateContainerConfigError" and scene.settled is not None:
        yield Trouble(name, part, reason, _with_publisher(message, scene), lasts_s=NO_CONFIG_S)
    crashes = scene.ends(pod, container)
    if reason == "CrashLoopBackOff" and crashes >= _enough(pod, container, scene):
        ended = container.get("lastState", {}).get("terminated") or {}
        said = f"ended {crashes} times, last with status {ended.get('exitCode')}"
        failing = FAILING_BEFORE_S if scene.failed_before(pod, container) else 0.0
        lasts_s = max(failing, scene.doubt_s(pod))
        yield Trouble(name, part, reason, said, crashed=True, lasts_s=lasts_s)


def _with_publisher(message: str, scene: Scene) -> str:
    """What was said of a missing Secret, with who makes it where that isn't Vault's operator."""
    missing = NO_SECRET.search(message)
    publisher = scene.publisher(missing[1]) if missing else ""
    return f"{message}; {publisher}" if publisher else message


def _naming(container: Body, message: str) -> str:
    """What was said about a container's image, which not every registry's answer names."""
    image = container.get("image", "")
    named = message if image in message else f"{image}: {message}"
    if OTHER_PLATFORM.search(message):
        return f"{named}; it isn't made for the architecture of the node"
    return named


def _enough(pod: Body, container: Body, scene: Scene) -> int:
    """How many crashes show that there will be no end of them."""
    ended = container.get("lastState", {}).get("terminated") or {}
    if scene.needs_others(pod) and not scene.is_settled_at(ended.get("startedAt")):
        return EARLY_CRASHES
    own = ended.get("reason") != "OOMKilled" and ended.get("exitCode") not in KILLED
    if own and scene.is_alone_at_fault(pod):
        return OWN_CRASHES
    return CRASHES


def _failed(pod: Body) -> Trouble:
    """A hook's pod that won't be started again."""
    ended = [item.get("state", {}).get("terminated") or {} for item in containers(pod)]
    status = next((end["exitCode"] for end in ended if end.get("exitCode")), None)
    said = pod["status"].get("message") or f"ended with status {status}"
    part = next(
        (
            str(item["name"])
            for item in containers(pod)
            if (item.get("state", {}).get("terminated") or {}).get("exitCode")
        ),
        "",
    )
    reason = f"{hook_of(pod) or 'pod'} failed"
    return Trouble(pod["metadata"]["name"], part, reason, said, crashed=True)
