"""What a pod's trouble is judged by: whose pod it is, and whether all that it needs is well.

A crash says little while the databases are on their way, and much when the version before it runs
beside it. All of it is read from what was seen; nothing is asked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from vrooli.chart.manifest import HOOK, Manifest
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.status import ContainerStatus, Termination, is_observed, is_pod_ready
from vrooli.operators.catalog import databases
from vrooli.operators.redis.names import COMPONENT_LABEL
from vrooli.release.rollout import readiness

Body = Mapping[str, Any]

# All that others need was ready before anybody looked.
EPOCH = datetime.min.replace(tzinfo=UTC)
# What others need: a crash before these are ready may be theirs.
NEEDED = ("PostgresCluster", "RedisFailover", "VaultStaticSecret")
ROTATOR = "rotator"
JOB_LABEL = "batch.kubernetes.io/job-name"
REVISION = "deployment.kubernetes.io/revision"
VERSION = "pod-template-hash"
# Without a ReplicaSet to tell, a pod of the version before may be taken for the new one's, seconds.
VERSION_GRACE_S = 5.0
# The kubelet waits twice as long before each try, from 10 s up to this, seconds; then it starts a
# container again, or pulls its image. (kubelet: MaxContainerBackOff, imageBackOff)
FIRST_BACK_OFF_S, BACK_OFF_S = 10.0, 300.0
# Failed pods of a hook that show that it won't succeed, where its Job would try again.
HOOK_FAILURES = 2


@dataclass(frozen=True)
class RolloutContext:
    """What is known beside the pods.

    Attributes:
        manifests: The release's objects, hooks included; None takes every pod for one of it.
        seen: The namespace's objects.
        settled: Since when all that others need has been ready; None when it isn't.
        began: When the deploy began: hooks from before have had their turn.
        earlier_ends: How often containers had ended before it began, by pod's uid and container.
        filled: Since when the Secrets of Vault that weren't ready at first have been, by name.
    """

    manifests: tuple[Manifest, ...] | None = None
    snapshot: Snapshot = field(default_factory=Snapshot)
    settled: datetime | None = EPOCH
    began: datetime = EPOCH
    earlier_ends: Mapping[tuple[str, str], int] = field(default_factory=dict)
    filled: Mapping[str, datetime] = field(default_factory=dict)

    def ends(self, pod: Body, container: ContainerStatus) -> int:
        """How often a container that waits for its next start has ended since the deploy began."""
        # While it waits, it has ended once more often than it was restarted.
        return container.restarts + 1 - self.earlier(pod, container)

    def earlier(self, pod: Body, container: ContainerStatus) -> int:
        """How often a container had ended before the deploy began."""
        key = (pod["metadata"].get("uid", ""), container.name)
        return self.earlier_ends.get(key, 0)

    def is_retry_pending(self, pod: Body, container: ContainerStatus) -> bool:
        """Whether a container that fails has failed since before the deploy, without a try since.

        Ends from before the deploy tell nothing of what it brings.
        """
        if self.began == EPOCH or datetime.fromisoformat(_creation_time(pod)) >= self.began:
            return False
        key = (pod["metadata"].get("uid", ""), container.name)
        started = last_start(container)
        return key not in self.earlier_ends and (started is None or started < self.began)

    def is_credential_pending(self, pod: Body) -> bool:
        """Whether a Secret that a pod's images are pulled with isn't filled by Vault yet."""
        return bool(unfilled(self.manifests or (), self.snapshot) & _pull_secrets(pod))

    def next_pull_s(self, pod: Body) -> float:
        """How long after its credential came a pod's image is tried again at the latest, seconds.

        Each wait is at most as long as all before it together, and the first one more.
        """
        available_since = [self.filled[name] for name in _pull_secrets(pod) if name in self.filled]
        if not available_since:
            return 0.0
        waited_s = (
            max(available_since) - datetime.fromisoformat(_creation_time(pod))
        ).total_seconds()
        if waited_s <= 0:
            return 0.0
        # Up to as late as the first again: the kubelet looks at its pods in turns.
        return min(waited_s + FIRST_BACK_OFF_S, BACK_OFF_S) + FIRST_BACK_OFF_S

    def current(self, pods: Iterable[Body]) -> list[Body]:
        """The release's pods, without those of a Deployment's older versions."""
        current = [
            pod
            for pod in pods
            if "deletionTimestamp" not in pod["metadata"]
            and self._is_ours(pod)
            and not self._is_superseded(pod)
        ]
        newest: dict[str, str] = {}
        for pod in sorted(current, key=_creation_time):
            newest[deployment_of(pod)] = version_of(pod)
        newest |= self._current_versions
        return [pod for pod in current if version_of(pod) == newest[deployment_of(pod)]]

    def version_grace_s(self, pod: Body) -> float:
        """How long a sure sign must last, for fear that it is another version's pod."""
        has_version = self.manifests is not None and deployment_of(pod) in self._current_versions
        return 0.0 if has_version or self._hook(pod) is not None else VERSION_GRACE_S

    def has_dependencies(self, pod: Body) -> bool:
        """Whether a pod may crash for want of a database: databases and the rotator don't."""
        labels = pod["metadata"].get("labels", {})
        own = any(resource.pod_label in labels for resource in databases().values())
        return not own and labels.get(COMPONENT_LABEL) != ROTATOR

    def is_settled_at(self, started: datetime | None) -> bool:
        """Whether all that others need was ready when a container was started."""
        if self.settled is None:
            return False
        return self.settled == EPOCH or (started is not None and started >= self.settled)

    def has_no_excuse(self, pod: Body) -> bool:
        """Whether a pod that crashes has no excuse.

        All that others need is ready, and was so before; and for a Deployment's pod, the version
        before it is ready beside it.
        """
        if self.settled != EPOCH or self.manifests is None:
            return False
        if self._hook(pod) is not None:
            return True
        mine, name = version_of(pod), deployment_of(pod)
        others = (other for other in self.snapshot.pods() if deployment_of(other) == name)
        return any(version_of(other) != mine and is_pod_ready(other) for other in others)

    def is_final_hook_failure(self, pod: Body) -> bool:
        """Whether a failed pod is a hook's that won't be tried again, or not with more luck."""
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
        """Who makes a Secret that the rotator publishes, in words; empty for any other."""
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
        """The current version of each Deployment whose ReplicaSet is there."""
        versions: dict[str, str] = {}
        for body in self.snapshot.all("ReplicaSet"):
            version = version_of(body)
            owner = str(body["metadata"]["name"]).removesuffix(f"-{version}")
            deployment = self.snapshot.find("Deployment", owner)
            if deployment is not None and _is_newest(deployment, body):
                versions[owner] = version
        return versions

    def _is_superseded(self, pod: Body) -> bool:
        """Whether its Deployment has a change that no controller has seen: the next pods tell."""
        deployment = self.snapshot.find("Deployment", deployment_of(pod))
        return deployment is not None and not is_observed(deployment)

    def _is_ours(self, pod: Body) -> bool:
        """Whether a pod is of the release: its Deployments, its databases, its hooks' turn."""
        if self.manifests is None:
            return True
        if self._hook(pod) is not None:
            return datetime.fromisoformat(str(_creation_time(pod))) >= self.began.replace(
                microsecond=0
            )
        owners = pod["metadata"].get("ownerReferences", [])
        if not owners or owners[0]["kind"] == "Job":
            return False  # someone's own, a test, a backup: the next one may succeed
        labels = pod["metadata"].get("labels", {})
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
    """The Jobs and Pods that Helm runs during a deploy; the tests have their own time."""
    return [
        item
        for item in manifests
        if item.kind in ("Job", "Pod") and item.is_hook and item.annotations[HOOK] != "test"
    ]


def hook_of(pod: Body) -> str:
    """What a pod would be called as a hook: its Job's kind and name, or its own."""
    labels = pod["metadata"].get("labels", {})
    job = labels.get(JOB_LABEL) or labels.get("job-name")
    return f"Job/{job}" if job else f"Pod/{pod['metadata']['name']}"


def is_settled(manifests: Iterable[Manifest], snapshot: Snapshot) -> bool:
    """Whether all that other pods need is ready: databases, secrets, and who publishes those."""
    needed = (item for item in manifests if item.kind in NEEDED or is_rotator(item))
    return all(readiness.unready_reason(item, snapshot) is None for item in needed)


def unfilled(manifests: Iterable[Manifest], snapshot: Snapshot) -> set[str]:
    """The names of the Secrets that Vault's operator has still to fill."""
    return {
        str(item.body["spec"]["destination"]["name"])
        for item in manifests
        if item.kind == "VaultStaticSecret" and readiness.unready_reason(item, snapshot) is not None
    }


def last_start(container: ContainerStatus) -> datetime | None:
    """When a container was started that has ended since; of one that could not be, when it failed.

    Runtimes give such a container the start of the Unix epoch.
    """
    ended = container.last_terminated or Termination()
    times = (ended.started_at, ended.finished_at)
    return next((time for time in times if time is not None and time.timestamp() > 0), None)


def _pull_secrets(pod: Body) -> set[str]:
    """The Secrets that a pod's images are pulled with."""
    secrets = pod.get("spec", {}).get("imagePullSecrets") or []
    return {str(item["name"]) for item in secrets if item.get("name")}


def is_rotator(item: Manifest) -> bool:
    """Whether an object is the Deployment that publishes the databases' passwords."""
    labels = item.body["metadata"].get("labels") or {}
    return item.kind == "Deployment" and labels.get(COMPONENT_LABEL) == ROTATOR


def version_of(body: Body) -> str:
    """The version of a Deployment that a pod, or a ReplicaSet, belongs to."""
    return str(body["metadata"].get("labels", {}).get(VERSION, ""))


def deployment_of(pod: Body) -> str:
    """The pod's Deployment, or the pod itself when it has none."""
    owners = pod["metadata"].get("ownerReferences", [])
    version = version_of(pod)
    if version and owners and owners[0]["kind"] == "ReplicaSet":
        return str(owners[0]["name"]).removesuffix(f"-{version}")
    return f"pod {pod['metadata']['name']}"


def _is_newest(deployment: Body, replica_set: Body) -> bool:
    """Whether a ReplicaSet has what its Deployment wants now."""
    if not is_observed(deployment):
        return False
    revisions = [
        (body["metadata"].get("annotations") or {}).get(REVISION)
        for body in (deployment, replica_set)
    ]
    return revisions[0] is not None and revisions[0] == revisions[1]


def _creation_time(pod: Body) -> str:
    return str(pod["metadata"].get("creationTimestamp", ""))
