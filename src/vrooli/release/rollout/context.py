"""The context of a pod's failure: its owner, its version, and the state of its dependencies.

A crash means little while the databases are not ready, and much while the previous version runs
beside it. All facts come from a snapshot; no I/O here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from vrooli.chart.manifest import HOOK, Manifest
from vrooli.kube import objects
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.status import ContainerStatus, Termination, is_observed, is_pod_ready
from vrooli.operators.catalog import databases
from vrooli.operators.redis.names import COMPONENT_LABEL
from vrooli.release.rollout import readiness

Body = Mapping[str, Any]

# All dependencies were ready before the rollout.
EPOCH = datetime.min.replace(tzinfo=UTC)
# Dependencies: crashes before these are ready may be caused by them.
NEEDED = ("PostgresCluster", "RedisFailover", "VaultStaticSecret")
ROTATOR = "rotator"
JOB_LABEL = "batch.kubernetes.io/job-name"
REVISION = "deployment.kubernetes.io/revision"
# Without its ReplicaSet, a pod of the previous version may look like one of the new, seconds.
VERSION_GRACE_S = 5.0
# The kubelet doubles its back-off before each retry, from 10 s up to this, seconds, for container
# starts and image pulls. (kubelet: MaxContainerBackOff, imageBackOff)
FIRST_BACK_OFF_S, BACK_OFF_S = 10.0, 300.0
# How many failed pods show that a hook will not succeed, although its Job would retry.
HOOK_FAILURES = 2


@dataclass(frozen=True)
class RolloutContext:
    """Facts beside the pods that failure rules use.

    Attributes:
        manifests: The release's objects, hooks included; None counts every pod.
        snapshot: The namespace's objects.
        settled: Since when all dependencies have been ready; None if they are not.
        began: When the deploy started; hooks from before are ignored.
        earlier_ends: Container exits before the deploy, by the pod's uid and the container.
        filled: Since when late Secrets of Vault have been synced, by name.
    """

    manifests: tuple[Manifest, ...] | None = None
    snapshot: Snapshot = field(default_factory=Snapshot)
    settled: datetime | None = EPOCH
    began: datetime = EPOCH
    earlier_ends: Mapping[tuple[str, str], int] = field(default_factory=dict)
    filled: Mapping[str, datetime] = field(default_factory=dict)

    def ends(self, pod: Body, container: ContainerStatus) -> int:
        """Exits of a container in back-off since the deploy started."""
        # In back-off, it has exited once more than it was restarted.
        return container.restarts + 1 - self.earlier(pod, container)

    def earlier(self, pod: Body, container: ContainerStatus) -> int:
        """Exits of a container before the deploy started."""
        key = (pod["metadata"].get("uid", ""), container.name)
        return self.earlier_ends.get(key, 0)

    def is_retry_pending(self, pod: Body, container: ContainerStatus) -> bool:
        """Whether a container was failing before the deploy and was not restarted since.

        Exits from before the deploy say nothing about the new revision.
        """
        if self.began == EPOCH or datetime.fromisoformat(_creation_time(pod)) >= self.began:
            return False
        key = (pod["metadata"].get("uid", ""), container.name)
        started = last_start(container)
        return key not in self.earlier_ends and (started is None or started < self.began)

    def is_credential_pending(self, pod: Body) -> bool:
        """Whether an image pull Secret of a pod is not synced from Vault yet."""
        return bool(unfilled(self.manifests or (), self.snapshot) & _pull_secrets(pod))

    def next_pull_s(self, pod: Body) -> float:
        """The longest time from a late credential to the next image pull, seconds.

        Each back-off is at most as long as all earlier ones together plus the first.
        """
        available_since = [self.filled[name] for name in _pull_secrets(pod) if name in self.filled]
        if not available_since:
            return 0.0
        waited_s = (
            max(available_since) - datetime.fromisoformat(_creation_time(pod))
        ).total_seconds()
        if waited_s <= 0:
            return 0.0
        # Up to one first back-off later: the kubelet processes its pods in turn.
        return min(waited_s + FIRST_BACK_OFF_S, BACK_OFF_S) + FIRST_BACK_OFF_S

    def current(self, pods: Iterable[Body]) -> list[Body]:
        """The release's pods, without those of older versions of a Deployment."""
        current = [
            pod
            for pod in pods
            if not objects.is_deleted(pod) and self._is_ours(pod) and not self._is_superseded(pod)
        ]
        newest: dict[str, str] = {}
        for pod in sorted(current, key=_creation_time):
            newest[deployment_of(pod)] = objects.version_of(pod)
        newest |= self._current_versions
        return [pod for pod in current if objects.version_of(pod) == newest[deployment_of(pod)]]

    def version_grace_s(self, pod: Body) -> float:
        """The grace period of a certain failure, if the pod may be of another version."""
        has_version = self.manifests is not None and deployment_of(pod) in self._current_versions
        return 0.0 if has_version or self._hook(pod) is not None else VERSION_GRACE_S

    def has_dependencies(self, pod: Body) -> bool:
        """Whether a pod may crash because of a database; databases and the rotator do not."""
        labels = objects.labels(pod)
        own = any(resource.pod_label in labels for resource in databases().values())
        return not own and labels.get(COMPONENT_LABEL) != ROTATOR

    def is_settled_at(self, started: datetime | None) -> bool:
        """Whether all dependencies were ready when a container was started."""
        if self.settled is None:
            return False
        return self.settled == EPOCH or (started is not None and started >= self.settled)

    def has_no_excuse(self, pod: Body) -> bool:
        """Whether nothing else explains a pod's crash.

        All dependencies are and were ready; and for a Deployment's pod, a pod of the previous
        version is ready.
        """
        if self.settled != EPOCH or self.manifests is None:
            return False
        if self._hook(pod) is not None:
            return True
        mine, name = objects.version_of(pod), deployment_of(pod)
        others = (other for other in self.snapshot.pods() if deployment_of(other) == name)
        return any(objects.version_of(other) != mine and is_pod_ready(other) for other in others)

    def is_final_hook_failure(self, pod: Body) -> bool:
        """Whether a failed pod belongs to a hook that is not retried or fails again."""
        hook = self._hook(pod)
        if hook is None:
            return False
        if hook.kind == "Pod" or not hook.body["spec"].get("backoffLimit", HOOK_FAILURES):
            return True
        job = hook_of(pod)
        failed = [
            other
            for other in self.snapshot.pods()
            if hook_of(other) == job and other.get("status", {}).get("phase") == "Failed"
        ]
        return len(failed) >= HOOK_FAILURES and self.settled == EPOCH

    def publisher(self, secret: str) -> str:
        """What publishes a Secret of the rotator, for people; empty for others."""
        for item in filter(is_rotator, self.manifests or ()):
            for container in item.body["spec"]["template"]["spec"]["containers"]:
                variables = {one["name"]: one.get("value") for one in container.get("env", [])}
                for name, value in variables.items():
                    if name.endswith("_SECRET") and value == secret:
                        source = variables.get(f"{name.removesuffix('_SECRET')}_SOURCE")
                        return f"{item.key} makes it from the Secret {source}"
        return ""

    @property
    def _current_versions(self) -> dict[str, str]:
        """The current version of each Deployment that has a ReplicaSet."""
        versions: dict[str, str] = {}
        for body in self.snapshot.all("ReplicaSet"):
            version = objects.version_of(body)
            owner = str(body["metadata"]["name"]).removesuffix(f"-{version}")
            deployment = self.snapshot.find("Deployment", owner)
            if deployment is not None and _is_newest(deployment, body):
                versions[owner] = version
        return versions

    def _is_superseded(self, pod: Body) -> bool:
        """Whether its Deployment has a change that its controller has not observed yet."""
        deployment = self.snapshot.find("Deployment", deployment_of(pod))
        return deployment is not None and not is_observed(deployment)

    def _is_ours(self, pod: Body) -> bool:
        """Whether a pod belongs to the release's Deployments, databases or current hooks."""
        if self.manifests is None:
            return True
        if self._hook(pod) is not None:
            return datetime.fromisoformat(str(_creation_time(pod))) >= self.began.replace(
                microsecond=0
            )
        owners = objects.owners(pod)
        if not owners or owners[0]["kind"] == "Job":
            return False  # a manual pod, a test or a backup: the next one may succeed
        labels = objects.labels(pod)
        mine = {(manifest.kind, manifest.name) for manifest in self.manifests}
        return bool(
            {
                ("Deployment", deployment_of(pod)),
                ("StatefulSet", str(owners[0]["name"])),
                *((kind, labels.get(item.pod_label)) for kind, item in databases().items()),
            }
            & mine
        )

    def _hook(self, pod: Body) -> Manifest | None:
        name = hook_of(pod)
        return next((hook for hook in hooks(self.manifests or ()) if hook.key == name), None)


def hooks(manifests: Iterable[Manifest]) -> list[Manifest]:
    """The Jobs and Pods that Helm runs during a deploy, without tests."""
    return [
        item
        for item in manifests
        if item.kind in ("Job", "Pod") and item.is_hook and item.annotations[HOOK] != "test"
    ]


def hook_of(pod: Body) -> str:
    """The kind and name of a pod's hook: its Job, or the pod itself."""
    labels = objects.labels(pod)
    job = labels.get(JOB_LABEL) or labels.get("job-name")
    return f"Job/{job}" if job else f"Pod/{pod['metadata']['name']}"


def is_settled(manifests: Iterable[Manifest], snapshot: Snapshot) -> bool:
    """Whether all dependencies are ready: databases, Secrets, and the rotator."""
    needed = (item for item in manifests if item.kind in NEEDED or is_rotator(item))
    return all(readiness.unready_reason(item, snapshot) is None for item in needed)


def unfilled(manifests: Iterable[Manifest], snapshot: Snapshot) -> set[str]:
    """The names of the Secrets that are not synced from Vault yet."""
    return {
        str(item.body["spec"]["destination"]["name"])
        for item in manifests
        if item.kind == "VaultStaticSecret" and readiness.unready_reason(item, snapshot) is not None
    }


def last_start(container: ContainerStatus) -> datetime | None:
    """The start of a container that has exited; if it could not start, when it failed.

    Runtimes report the Unix epoch as the start of such a container.
    """
    ended = container.last_terminated or Termination()
    times = (ended.started_at, ended.finished_at)
    return next((time for time in times if time is not None and time.timestamp() > 0), None)


def _pull_secrets(pod: Body) -> set[str]:
    """The image pull Secrets of a pod."""
    secrets = pod.get("spec", {}).get("imagePullSecrets") or []
    return {str(item["name"]) for item in secrets if item.get("name")}


def is_rotator(item: Manifest) -> bool:
    """Whether an object is the Deployment that publishes the databases' passwords."""
    labels = objects.labels(item.body)
    return item.kind == "Deployment" and labels.get(COMPONENT_LABEL) == ROTATOR


def deployment_of(pod: Body) -> str:
    """The pod's Deployment, or the pod itself without one."""
    owners = objects.owners(pod)
    version = objects.version_of(pod)
    if version and owners and owners[0]["kind"] == "ReplicaSet":
        return str(owners[0]["name"]).removesuffix(f"-{version}")
    return f"pod {pod['metadata']['name']}"


def _is_newest(deployment: Body, replica_set: Body) -> bool:
    """Whether a ReplicaSet is the current one of its Deployment."""
    if not is_observed(deployment):
        return False
    revisions = [objects.annotations_of(body).get(REVISION) for body in (deployment, replica_set)]
    return revisions[0] is not None and revisions[0] == revisions[1]


def _creation_time(pod: Body) -> str:
    return objects.creation_time(pod)
