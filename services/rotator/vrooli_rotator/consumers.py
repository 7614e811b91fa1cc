"""The Deployments whose pods read the published Secrets as environment variables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from vrooli_rotator.errors import WaitingError
from vrooli_rotator.kubernetes import Body, Kubernetes

# Where `kubectl rollout restart` notes the moment; a change rolls the pods.
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
# Restarts are noted in whole seconds: one comes in a later second than the publication, so that no
# pod of it looks older.
SETTLE = timedelta(seconds=1)


class Consumers:
    """The Deployments by name; one that is not there has no pods to replace."""

    def __init__(self, kubernetes: Kubernetes, names: Sequence[str]) -> None:
        self._kubernetes = kubernetes
        self._names = names

    async def replace(self, published_at: datetime) -> None:
        """Restart what still runs with an older value, and wait for its end.

        Raises:
            WaitingError: Pods with an older value still run.
        """
        if datetime.now(UTC) < published_at + SETTLE:
            raise WaitingError("the password has just been published")
        remaining = []
        for name in self._names:
            deployment = await self._kubernetes.get("Deployment", name)
            if deployment is None:
                continue
            old = await self._old_pods(deployment, published_at)
            if old:
                remaining += old
                await self._restart(deployment, published_at)
        if remaining:
            raise WaitingError(
                f"pods that started with the previous password still run: {', '.join(remaining)}"
            )

    async def _old_pods(self, deployment: Body, published_at: datetime) -> list[str]:
        labels = deployment["spec"]["selector"]["matchLabels"]
        pods = await self._kubernetes.list("Pod", labels)
        return sorted(pod["metadata"]["name"] for pod in pods if _is_older(pod, published_at))

    async def _restart(self, deployment: Body, published_at: datetime) -> None:
        annotations = deployment["spec"]["template"]["metadata"].get("annotations") or {}
        restarted_at = annotations.get(RESTARTED_AT)
        if restarted_at and datetime.fromisoformat(restarted_at) >= published_at:
            return
        note = {RESTARTED_AT: datetime.now(UTC).isoformat(timespec="seconds")}
        change = {"spec": {"template": {"metadata": {"annotations": note}}}}
        await self._kubernetes.patch("Deployment", deployment["metadata"]["name"], change)


def _is_older(pod: Body, moment: datetime) -> bool:
    """Whether a pod that still runs was made by no restart since that moment.

    Its template says when it was restarted, by this program's own clock: a node's may differ.
    """
    if pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
        return False
    restarted_at = (pod["metadata"].get("annotations") or {}).get(RESTARTED_AT)
    return restarted_at is None or datetime.fromisoformat(restarted_at) < moment
