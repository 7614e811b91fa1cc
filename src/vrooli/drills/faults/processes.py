"""Faults of the components of a cluster that runs on this machine."""

from __future__ import annotations

from vrooli.cluster.interface import ComponentStatus
from vrooli.drills.model import Injection, NotApplicableError
from vrooli.drills.site import ProcessTable, Site

RUNNING = "running"


async def component_killed(site: Site, name: str) -> Injection:
    """Kill the process of a component, which its supervisor starts again.

    Raises:
        NotApplicableError: The cluster does not run on this machine, or has no such process.
    """
    processes = site.processes
    if processes is None:
        raise NotApplicableError("only an embedded cluster has its components on this machine")
    before = await _status(processes, name)
    if before is None or before.pid is None:
        raise NotApplicableError(f"{name} is not running")

    async def inject() -> None:
        processes.kill_component(name)

    async def is_healed() -> bool:
        current = await _status(processes, name)
        return current is not None and current.state == RUNNING and current.pid != before.pid

    return Injection(
        targets=(f"process of {name}",),
        subjects=(name,),
        inject=inject,
        is_healed=is_healed,
    )


async def _status(processes: ProcessTable, name: str) -> ComponentStatus | None:
    components = (await processes.status()).components
    return next((item for item in components if item.name == name), None)
