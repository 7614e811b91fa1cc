"""What the kubelet and the scheduler report of a pod and its containers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from vrooli.kube.objects import Body, dig, items, mapping, number, text
from vrooli.kube.status.conditions import Condition, find_condition, has_condition
from vrooli.kube.times import parse_time

CRASH_LOOP = "CrashLoopBackOff"
CONFIG_ERROR = "CreateContainerConfigError"
COMPLETED = "Completed"
UNSCHEDULABLE = "Unschedulable"

# The phases of a pod whose containers have all ended.
ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Termination:
    """The end of one run of a container.

    Attributes:
        exit_code: Its exit code; None if the status does not say.
        reason: The reason, such as Error, OOMKilled or StartError.
        message: What the runtime says about it.
        started_at: When the run started; None if unknown.
        finished_at: When it ended; None if unknown.
    """

    exit_code: int | None = None
    reason: str = ""
    message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True)
class ContainerStatus:
    """The status of one container.

    Attributes:
        name: Its name.
        image: Its image, as the kubelet reports it.
        is_ready: Whether it passes its readiness probe.
        restarts: How often it was restarted.
        has_started: Whether it has passed its startup probe.
        is_running: Whether it runs now.
        started_at: When the current run started; None if it does not run.
        waiting_reason: Why it waits, such as ImagePullBackOff; empty if it does not wait.
        waiting_message: What the kubelet says about that.
        terminated: How its last run ended; None if it runs or waits.
        last_terminated: How the run before that ended; None if there was none.
    """

    name: str
    image: str = ""
    is_ready: bool = False
    restarts: int = 0
    has_started: bool = False
    is_running: bool = False
    started_at: datetime | None = None
    waiting_reason: str = ""
    waiting_message: str = ""
    terminated: Termination | None = None
    last_terminated: Termination | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it waits to be started."""
        return bool(self.waiting_reason or self.waiting_message)

    @property
    def exit_code(self) -> int | None:
        """The exit code of its last run; None if it runs or waits."""
        return self.terminated.exit_code if self.terminated is not None else None

    @property
    def last_started_at(self) -> datetime | None:
        """When it was started last; None if it never was."""
        ends = (self.terminated, self.last_terminated)
        times = (self.started_at, *(end.started_at for end in ends if end is not None))
        return max((time for time in times if time is not None), default=None)

    @property
    def stop_reason(self) -> str:
        """Why it does not run: the reason for which it waits, or has ended."""
        return self.terminated.reason if self.terminated is not None else self.waiting_reason

    @property
    def stop_message(self) -> str:
        """The message that belongs to that reason."""
        return self.terminated.message if self.terminated is not None else self.waiting_message

    @property
    def latest_end(self) -> Termination | None:
        """How the latest run that ended did so."""
        return self.terminated or self.last_terminated


@dataclass(frozen=True)
class PodStatus:
    """The status of one pod.

    Attributes:
        name: Its name.
        uid: Its UID.
        phase: Pending, Running, Succeeded, Failed or Unknown.
        readiness: The Ready condition; None if the kubelet has not set it.
        is_deleted: Whether it is being deleted.
        scheduling: The PodScheduled condition; None if the scheduler has not set it.
        message: Why the pod failed as a whole, such as an eviction.
        init_containers: Its init containers, in their order.
        main_containers: The other containers, in their order.
    """

    name: str
    uid: str = ""
    phase: str = ""
    readiness: Condition | None = None
    is_deleted: bool = False
    scheduling: Condition | None = None
    message: str = ""
    init_containers: tuple[ContainerStatus, ...] = ()
    main_containers: tuple[ContainerStatus, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether its Ready condition is true."""
        return self.readiness is not None and self.readiness.is_true

    @property
    def containers(self) -> tuple[ContainerStatus, ...]:
        """All containers, init containers first."""
        return (*self.init_containers, *self.main_containers)

    @property
    def running(self) -> tuple[ContainerStatus, ...]:
        """The containers that run now."""
        return tuple(item for item in self.containers if item.is_running)

    @property
    def is_unscheduled(self) -> bool:
        """Whether the scheduler has found no node for it."""
        return self.scheduling is not None and self.scheduling.is_false

    @property
    def has_ended(self) -> bool:
        """Whether all its containers have ended and none is started again."""
        return self.phase in ENDED

    def container(self, name: str) -> ContainerStatus | None:
        """A container by its name; None if its status is not there yet."""
        return next((item for item in self.containers if item.name == name), None)


def pod_status(pod: Body) -> PodStatus:
    """The status of a pod; whatever the API has not filled yet is empty."""
    return PodStatus(
        name=text(pod, "metadata", "name"),
        uid=text(pod, "metadata", "uid"),
        phase=text(pod, "status", "phase"),
        readiness=find_condition(pod, "Ready"),
        is_deleted=bool(text(pod, "metadata", "deletionTimestamp")),
        scheduling=find_condition(pod, "PodScheduled"),
        message=text(pod, "status", "message"),
        init_containers=tuple(map(_container, items(pod, "status", "initContainerStatuses"))),
        main_containers=tuple(map(_container, items(pod, "status", "containerStatuses"))),
    )


def has_ended(pod: Body) -> bool:
    """Whether all containers of a pod have ended and none is started again.

    Without the rest of its status: of a graph's pods, it is asked thousands of times.
    """
    return text(pod, "status", "phase") in ENDED


def is_pod_ready(pod: Body) -> bool:
    """Whether a pod's Ready condition is true."""
    return has_condition(pod, "Ready")


def _container(item: Body) -> ContainerStatus:
    return ContainerStatus(
        name=text(item, "name"),
        image=text(item, "image"),
        is_ready=item.get("ready") is True,
        restarts=number(item, "restartCount"),
        has_started=item.get("started") is True,
        is_running=dig(item, "state", "running") is not None,
        started_at=parse_time(text(item, "state", "running", "startedAt")),
        waiting_reason=text(item, "state", "waiting", "reason"),
        waiting_message=text(item, "state", "waiting", "message"),
        terminated=_termination(mapping(item, "state", "terminated")),
        last_terminated=_termination(mapping(item, "lastState", "terminated")),
    )


def _termination(state: Body) -> Termination | None:
    if not state:
        return None
    code = state.get("exitCode")
    return Termination(
        exit_code=code if isinstance(code, int) else None,
        reason=text(state, "reason"),
        message=text(state, "message"),
        started_at=parse_time(text(state, "startedAt")),
        finished_at=parse_time(text(state, "finishedAt")),
    )


def format_pod_problems(pods: Iterable[Body]) -> list[str]:
    """Why pods do not run: one line for each container that waits or has failed."""
    return [line for pod in pods for line in _problems(pod_status(pod))]


def _problems(pod: PodStatus) -> Iterator[str]:
    if pod.scheduling is not None and pod.is_unscheduled:
        yield f"{pod.name}: {pod.scheduling.message or 'not scheduled'}"
    for item in pod.main_containers:
        if item.is_waiting:
            yield _line(pod, item, item.waiting_reason, item.waiting_message)
        elif item.terminated is not None and item.terminated.reason != COMPLETED:
            yield _line(pod, item, item.terminated.reason, item.terminated.message)


def _line(pod: PodStatus, container: ContainerStatus, reason: str, message: str) -> str:
    return f"{pod.name}/{container.name}: {reason}{f': {message}' if message else ''}"
