"""The workloads whose pods read the published Secrets as environment variables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from vrooli_rotator.errors import WaitingError
from vrooli_rotator.kubernetes import Body, Kubernetes

# Annotation of `kubectl rollout restart`; a change restarts the pods.
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
# The annotation has a resolution of seconds. A restart must be in a later second than the
# publication, or its pods would appear to be older.
SETTLE = timedelta(seconds=1)


class Consumers:
    """The workloads: a Deployment by its name, a StatefulSet as `StatefulSet/name`.

    A missing one is skipped.
    """

    def __init__(self, kubernetes: Kubernetes, names: Sequence[str]) -> None:
        self._kubernetes = kubernetes
        self._names = names

    async def replace(self, published_at: datetime) -> None:
        """Restart workloads whose pods have an older value.

        Raises:
            WaitingError: Pods with an older value still run.
        """
        if datetime.now(UTC) < published_at + SETTLE:
            raise WaitingError("the password has just been published")
        remaining = []
        for reference in self._names:
            kind, _, name = reference.rpartition("/")
            kind = kind or "Deployment"
            workload = await self._kubernetes.get(kind, name)
            if workload is None:
                continue
            old = await self._old_pods(workload, published_at)
            if old:
                remaining += old
                await self._restart(kind, workload, published_at)
        if remaining:
            raise WaitingError(
                f"pods that started with the previous password still run: {', '.join(remaining)}"
            )

    async def _old_pods(self, workload: Body, published_at: datetime) -> list[str]:
        labels = workload["spec"]["selector"]["matchLabels"]
        pods = await self._kubernetes.list("Pod", labels)
        return sorted(pod["metadata"]["name"] for pod in pods if _is_older(pod, published_at))

    async def _restart(self, kind: str, workload: Body, published_at: datetime) -> None:
        annotations = workload["spec"]["template"]["metadata"].get("annotations") or {}
        restarted_at = annotations.get(RESTARTED_AT)
        if restarted_at and datetime.fromisoformat(restarted_at) >= published_at:
            return
        annotations_patch = {RESTARTED_AT: datetime.now(UTC).isoformat(timespec="seconds")}
        change = {"spec": {"template": {"metadata": {"annotations": annotations_patch}}}}
        await self._kubernetes.patch(kind, workload["metadata"]["name"], change)


def _is_older(pod: Body, moment: datetime) -> bool:
    """Whether a running pod was not created by a restart since this moment.

    The annotation is used, since it is from the rotator's clock; clocks of nodes may differ.
    """
    if pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
        return False
    restarted_at = (pod["metadata"].get("annotations") or {}).get(RESTARTED_AT)
    return restarted_at is None or datetime.fromisoformat(restarted_at) < moment
