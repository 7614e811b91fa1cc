"""Wait for one Deployment or StatefulSet, and report why its pods are not ready."""

from __future__ import annotations

from vrooli.errors import WaitTimeoutError
from vrooli.events import Progress
from vrooli.kube.client import Kube
from vrooli.kube.status import (
    deployment_unready_reason,
    format_pod_problems,
    stateful_set_unready_reason,
)


async def wait_ready(
    kube: Kube, kind: str, name: str, namespace: str, timeout_s: float, progress: Progress
) -> None:
    """Wait until a Deployment or StatefulSet is ready.

    Raises:
        WaitTimeoutError: It is not, with what is wrong with the pods of its namespace.
    """
    reason = deployment_unready_reason if kind == "Deployment" else stateful_set_unready_reason
    try:
        await kube.wait_for("apps/v1", kind, name, namespace, reason, timeout_s, progress)
    except WaitTimeoutError as error:
        problems = format_pod_problems(await kube.list("v1", "Pod", namespace))
        raise WaitTimeoutError("\n".join([error.message, *problems]), error.advice) from error
