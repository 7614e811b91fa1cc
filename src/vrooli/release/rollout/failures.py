"""Pods and hooks that cannot become ready by waiting. No I/O here.

Each failure has a grace period: 0 if waiting can't change it, some seconds if it may pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vrooli.kube.objects import ref_of
from vrooli.kube.status import ContainerStatus, PodStatus, Termination, image_pulls, pod_status
from vrooli.kube.status.image_pulls import PullFailure, classify_pull_failure
from vrooli.kube.status.missing_config import parse_missing_config
from vrooli.kube.status.pods import CONFIG_ERROR, CRASH_LOOP, UNSCHEDULABLE
from vrooli.release.rollout import autoscaling
from vrooli.release.rollout.context import BACK_OFF_S, RolloutContext, hook_of, last_start

Body = Mapping[str, Any]

# The name is invalid, or the node lacks the image and may not pull it: certain at once.
WRONG_IMAGE = (image_pulls.INVALID_NAME, image_pulls.NEVER_PULLED)
# A registry that is slow or restarts, or a resolver that fails briefly, seconds. The kubelet
# retries 10 s after the first response, and up to 10 s later, since it processes pods in turn.
PULL_S = 25.0
# Two exits of its own are the container's fault if all dependencies are ready; killed containers
# (128 + SIGKILL, 128 + SIGTERM) may have been slow.
OWN_CRASHES = 2
KILLED = (137, 143)
# One crash may be caused by a database that is not ready yet; three are not.
CRASHES = 3
# The limit while the databases start, which takes about a minute; these crashes take longer.
EARLY_CRASHES = 6
# Claims are created, volumes bound and nodes ready within this time, seconds.
UNSCHEDULABLE_S = 60.0
PASSING = re.compile(r"unbound|persistentvolumeclaim|node\.kubernetes\.io/", re.IGNORECASE)
# No node has the capacity or the labels; autoscalers check every 10 s.
NO_CAPACITY_S = 30.0
# The deploy may fix a container that was failing before: the kubelet restarts it within its longest
# back-off, and up to 30 s later, seconds.
FAILING_BEFORE_S = BACK_OFF_S + 30.0
# The reasons of a container that could not start: it has no log, but a message.
NEVER_STARTED = ("StartError", "ContainerCannotRun")
# The limit for a missing Secret or ConfigMap although its creator is ready, seconds.
NO_CONFIG_S = 10.0


@dataclass(frozen=True)
class PodFailure:
    """Why a pod or a hook cannot become ready.

    Attributes:
        pod: The pod's name.
        container: The container's name; empty for the pod as a whole.
        reason: Kubernetes' reason.
        message: Kubernetes' message.
        crashed: Whether the container ran and exited, so that it has a log.
        grace_period_s: How long it must last to be confirmed, seconds.
    """

    pod: str
    container: str
    reason: str
    message: str
    crashed: bool = False
    grace_period_s: float = 0.0

    @property
    def place(self) -> str:
        """Pod and container."""
        return f"{self.pod}/{self.container}" if self.container else self.pod

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" + (f" ({self.message})" if self.message else "")


def earlier_ends(
    pods: Iterable[Body], began: datetime, ignored: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Exits of containers in pods from before the deploy, at their first observation.

    Exits before that do not count: a running container had recovered from them, and a failing one
    has its first attempt with the new revision at its next start.

    Args:
        pods: The pods.
        began: When the deploy started.
        ignored: The pod's uid and the container of those that were observed before.
    """
    return {
        key: container.restarts
        for pod in pods
        if datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) < began
        for container in pod_status(pod).containers
        if (key := (pod["metadata"].get("uid", ""), container.name)) not in ignored
        if container.is_running or _is_retried(container, began)
    }


def _is_retried(container: ContainerStatus, began: datetime) -> bool:
    """Whether a container's last run was the first since the deploy started.

    Long after the start this is unknown: then all exits count.
    """
    started = last_start(container)
    return started is not None and began <= started < began + timedelta(seconds=BACK_OFF_S)


def find_failures(
    pods: Iterable[Body], now: datetime, context: RolloutContext | None = None
) -> list[PodFailure]:
    """Find the failures of pods; pods that a newer version replaces are ignored.

    Args:
        pods: The pods.
        now: The time.
        context: Facts beside the pods; without it, every pod counts.
    """
    context = context or RolloutContext()
    return [failure for pod in context.current(pods) for failure in _of_pod(pod, now, context)]


def _of_pod(pod: Body, now: datetime, context: RolloutContext) -> Iterator[PodFailure]:
    status = pod_status(pod)
    if not autoscaling.awaits_node(pod, context.snapshot, now):
        yield from _unschedulable(status, now, autoscaling.refusal(pod, context.snapshot))
    for container in status.containers:
        yield from _of_container(pod, container, context)
    if status.phase == "Failed" and context.is_final_hook_failure(pod):
        yield _failed(pod, status)


def _unschedulable(pod: PodStatus, now: datetime, refusal: str) -> Iterator[PodFailure]:
    scheduling = pod.scheduling
    if scheduling is None or scheduling.reason != UNSCHEDULABLE:
        return
    limit_s = UNSCHEDULABLE_S if PASSING.search(scheduling.message) else NO_CAPACITY_S
    since = scheduling.changed_at
    if since is not None and (now - since).total_seconds() >= limit_s:
        message = "; ".join(filter(None, (scheduling.message, refusal)))
        yield PodFailure(pod.name, "", UNSCHEDULABLE, message)


def _of_container(
    pod: Body, container: ContainerStatus, context: RolloutContext
) -> Iterator[PodFailure]:
    reason, message = container.waiting_reason, container.waiting_message
    name, part = pod["metadata"]["name"], container.name
    if reason in WRONG_IMAGE:
        yield PodFailure(
            name,
            part,
            reason,
            _naming(container, message),
            grace_period_s=context.version_grace_s(pod),
        )
    elif reason in image_pulls.FAILED_PULLS:
        grace_period_s = _pull_s(pod, container, context)
        if grace_period_s is not None:
            yield PodFailure(
                name, part, reason, _naming(container, message), grace_period_s=grace_period_s
            )
    elif reason == CONFIG_ERROR and context.settled is not None:
        yield PodFailure(
            name, part, reason, _with_publisher(message, context), grace_period_s=NO_CONFIG_S
        )
    crashes = context.ends(pod, container)
    if reason == CRASH_LOOP and crashes >= _crash_limit(pod, container, context):
        failing = FAILING_BEFORE_S if context.is_retry_pending(pod, container) else 0.0
        grace_period_s = max(failing, context.version_grace_s(pod))
        has_run = (container.last_terminated or Termination()).reason not in NEVER_STARTED
        message = _format_ends(container, crashes)
        yield PodFailure(
            name, part, reason, message, crashed=has_run, grace_period_s=grace_period_s
        )


def _pull_s(pod: Body, container: ContainerStatus, context: RolloutContext) -> float | None:
    """The grace period of a failed pull, seconds.

    None while its credential is missing, or while the registry limits the rate of pulls.
    """
    failure = _pull_failure(pod, container, context)
    if failure is PullFailure.RATE_LIMITED:
        return None  # The kubelet pulls again, and the limit ends by itself.
    if failure in (PullFailure.OTHER_PLATFORM, PullFailure.NOT_FOUND):
        return context.version_grace_s(pod)
    if failure is PullFailure.DENIED:
        if context.is_credential_pending(pod):
            return None
        # A late credential is used at the kubelet's next attempt.
        return max(PULL_S, context.next_pull_s(pod))
    # A registry that is temporarily unreachable or not resolved.
    return PULL_S


def _pull_failure(pod: Body, container: ContainerStatus, context: RolloutContext) -> PullFailure:
    """Why a pull failed; during the back-off, older kubelets report it in an event only."""
    failure = classify_pull_failure(container)
    if failure is not PullFailure.OTHER:
        return failure
    events = [
        event.message
        for event in context.snapshot.events_of(ref_of(pod), "Failed")
        if container.image in event.message
    ]
    return classify_pull_failure(container, events[-1]) if events else failure


def _format_ends(container: ContainerStatus, crashes: int) -> str:
    """Format a container's exits; if it could not start, the reason."""
    ended = container.last_terminated or Termination()
    times = "once" if crashes == 1 else f"{crashes} times"
    message = f"ended {times}, last with status {ended.exit_code}"
    if ended.reason in NEVER_STARTED and ended.message:
        return f"{message}, could not be started: {' '.join(ended.message.split())}"
    return message


def _with_publisher(message: str, context: RolloutContext) -> str:
    """Add the publisher of a missing Secret to the message, if it is the rotator."""
    missing = parse_missing_config(message)
    is_secret = missing is not None and missing.kind == "Secret" and not missing.key
    publisher = context.publisher(missing.name) if missing is not None and is_secret else ""
    return f"{message}; {publisher}" if publisher else message


def _naming(container: ContainerStatus, message: str) -> str:
    """Add the image to the message; not all registries name it."""
    image = container.image
    named = message if image in message else f"{image}: {message}"
    if classify_pull_failure(container) is PullFailure.OTHER_PLATFORM:
        return f"{named}; it isn't made for the architecture of the node"
    return named


def _crash_limit(pod: Body, container: ContainerStatus, context: RolloutContext) -> int:
    """The number of crashes that confirms a crash loop."""
    ended = container.last_terminated or Termination()
    if context.has_dependencies(pod) and not context.is_settled_at(last_start(container)):
        return EARLY_CRASHES
    own = ended.reason != "OOMKilled" and ended.exit_code not in KILLED
    if own and context.has_no_excuse(pod):
        return OWN_CRASHES
    return CRASHES


def _failed(pod: Body, status: PodStatus) -> PodFailure:
    """The failure of a hook's pod that is not restarted."""
    failed = next((item for item in status.containers if item.exit_code), None)
    message = status.message or f"ended with status {failed.exit_code if failed else None}"
    part = failed.name if failed else ""
    return PodFailure(status.name, part, f"{hook_of(pod) or 'pod'} failed", message, crashed=True)
