"""Take the release away and, when asked, its data."""

from __future__ import annotations

import time

from vrooli.environments import Environment
from vrooli.events import Listener, Progress
from vrooli.release import Release, lease, removal
from vrooli.steps import Done, Step, run_steps
from vrooli.workflows import access
from vrooli.workflows.results import StepsResult


async def uninstall(
    environment: Environment, cluster: str | None, listener: Listener, *, data: bool
) -> StepsResult:
    """Take the release away; with ``data`` also the namespace that holds its databases.

    Raises:
        UsageError: The cluster's name is wrong.
        EnvironmentLackError: The cluster doesn't run, or a deploy does.
        VrooliError: The first step's error.
    """
    began = time.monotonic()
    async with access.connect(cluster) as reached:
        release = Release.of(environment, reached.cluster.kubeconfig)
        await lease.refuse_if_held(reached.kube, release)

        async def remove(progress: Progress) -> Done:
            return await removal.remove(reached.kube, release, progress)

        async def remove_data(progress: Progress) -> Done:
            return await removal.remove_data(reached.kube, release, progress)

        steps = [Step("release", "Helm release", remove)]
        if data:
            steps.append(Step("data", "Databases and volumes", remove_data, ("release",)))
        ended = await run_steps(steps, listener)
        return StepsResult.of(ended, time.monotonic() - began)
