"""Waits until the components run, and until the API's pod status is current."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vrooli.cluster.embedded.api import Api
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.locks import holder
from vrooli.cluster.embedded.polling import poll_until
from vrooli.cluster.embedded.settings import Record
from vrooli.cluster.embedded.supervisor import logs
from vrooli.cluster.embedded.supervisor.report import RUNNING, Report
from vrooli.errors import PrerequisiteError, VrooliError, WaitTimeoutError
from vrooli.kube.status import pod_status

# Timeout for slow machines, seconds; about ten times the duration on the 2-core reference machine.
READY_S = 180.0


async def wait(layout: Layout, *names: str) -> None:
    """Wait for the named components, or for all.

    Raises:
        PrerequisiteError: The supervisor has ended.
        WaitTimeoutError: They were not ready in time.
    """

    async def ready() -> bool:
        demand_supervisor(layout)
        report = Report.read(layout.status)
        return report is not None and report.ready(*names)

    if not await poll_until(ready, READY_S):
        raise _not_ready(layout)


def demand_supervisor(layout: Layout) -> None:
    """Require that the supervisor runs.

    Raises:
        PrerequisiteError: It has ended.
    """
    if holder(layout.supervisor_lock) is None:
        raise _ended(layout, Report.read(layout.status))


async def wait_for_fresh_pods(layout: Layout, record: Record) -> None:
    """Wait until the kubelet has updated the status of its pods since the cluster's start.

    After a resume the API still shows them as they were before the stop: running and ready.

    Raises:
        WaitTimeoutError: Some pod still shows its earlier state.
    """
    report = Report.read(layout.status)
    if report is None:
        raise _ended(layout, report)
    api, stale = Api(layout, record), [""]

    async def fresh() -> bool:
        pods = await api.read("/api/v1/pods")
        stale[:] = stale_pods(pods.get("items", ()), report.since)
        return bool(pods) and not stale

    if not await poll_until(fresh, READY_S):
        raise WaitTimeoutError(
            f"The kubelet has not updated these pods since the start: {', '.join(stale)}",
            "Read its log: `vrooli cluster logs kubelet`.",
        )


def stale_pods(pods: Iterable[Mapping[str, Any]], since: float) -> list[str]:
    """The pods with a container whose start time is before the cluster's start.

    Args:
        pods: Pods, as the API gives them.
        since: When the cluster was started, seconds since the epoch.
    """
    # The API's times are whole seconds, rounded down.
    return [
        status.name
        for status in map(pod_status, pods)
        if any(
            item.started_at is not None and item.started_at.timestamp() < int(since)
            for item in status.main_containers
        )
    ]


def _ended(layout: Layout, report: Report | None) -> VrooliError:
    detail = report.detail if report else ""
    return PrerequisiteError(
        f"The supervisor of {layout.name} ended. {detail}".strip(),
        f"See its log: {layout.log('supervisor')}",
    )


def _not_ready(layout: Layout) -> VrooliError:
    report = Report.read(layout.status)
    slow = (
        [part for part in report.components.values() if part.state != RUNNING] if (report) else []
    )
    words = [f"{part.name} is {part.state} {part.detail}".strip() for part in slow]
    last = [
        f"last log line of {part.name}: {logs.last_line(layout.log(part.name))}"
        for part in slow[:1]
    ]
    return WaitTimeoutError(
        f"The cluster {layout.name} is not ready after {READY_S:.0f} s: "
        + "; ".join([*words, *last]),
        f"Read its logs: `vrooli cluster logs {slow[0].name if slow else 'supervisor'}`.",
    )
