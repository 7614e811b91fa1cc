"""A container's image cannot be pulled."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events, states
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import REDEPLOY_HINT, rollback_command
from vrooli.diagnosis.rules.workloads import image_architecture
from vrooli.kube.objects import Body, items, ref_of
from vrooli.kube.status import ContainerStatus
from vrooli.kube.status.image_pulls import PULL_REASONS, PullFailure, classify_pull_failure

EVENTS = ("Failed", "InspectFailed", "ErrImageNeverPull")
# Images with this prefix are built on the local machine: no registry has them.
LOCAL = "localhost/"
# Failures that do not depend on a registry.
WITHOUT_REGISTRY = (
    PullFailure.INVALID_NAME,
    PullFailure.NEVER_PULLED,
    PullFailure.OTHER_PLATFORM,
)
# The cause of each failure and its remediation.
KINDS = {
    PullFailure.INVALID_NAME: (
        "its name is not a valid image name",
        f"{REDEPLOY_HINT}: a name is [registry/]repository:tag in lower case.",
    ),
    PullFailure.NEVER_PULLED: (
        "its pull policy is Never, and it is not on the node",
        "Load it on the node, or set image.pullPolicy to IfNotPresent.",
    ),
    PullFailure.RATE_LIMITED: (
        "the registry's rate limit is reached",
        "Wait, or set a pull secret of a user with a higher limit.",
    ),
    PullFailure.UNREACHABLE: (
        "the registry is unreachable",
        "Check whether the node can reach it: DNS, proxy, firewall, certificate.",
    ),
    PullFailure.DENIED: (
        "the registry denies access",
        "Set a pull secret with read access, and check the repository's name: registries report "
        "the same error for a repository that does not exist.",
    ),
    PullFailure.OTHER_PLATFORM: (
        "it is not built for the architecture of the node",
        image_architecture.remedy(),
    ),
    PullFailure.NOT_FOUND: (
        "the image or tag does not exist",
        f"{REDEPLOY_HINT}, with a tag that exists.",
    ),
    PullFailure.OTHER: ("the pull fails", f"{REDEPLOY_HINT}, with an image that exists."),
}


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each workload with a container that waits for its image."""
    for owner, pod, item in states(evidence):
        reason = item.waiting_reason
        if reason in PULL_REASONS:
            message = _pull_error(evidence, pod, item)
            failure = classify_pull_failure(item, message)
            why, remedy = _kind(item, failure, pod)
            if failure is PullFailure.OTHER_PLATFORM:
                architecture = image_architecture.node_architecture(evidence, pod)
                remedy = image_architecture.remedy(architecture)
            yield Symptom(
                resource=owner,
                message=f"image {item.image} cannot be pulled: {why} ({reason}: {message})",
                remediation=remedy,
                command=rollback_command(evidence, owner),
                evidence=last_events(
                    evidence, ref_of(pod), "Failed", "InspectFailed", "ErrImageNeverPull"
                ),
            )


def _pull_error(evidence: Evidence, pod: Body, item: ContainerStatus) -> str:
    """The runtime's error. During the back-off only an event contains it."""
    events = [
        event.message.strip()
        for event in evidence.events_of(ref_of(pod), "Failed", "InspectFailed")
        if item.image in event.message
    ]
    return events[-1] if events else item.waiting_message


def _kind(item: ContainerStatus, failure: PullFailure, pod: Body) -> tuple[str, str]:
    if item.image.startswith(LOCAL) and failure not in (*WITHOUT_REGISTRY, PullFailure.OTHER):
        return (
            "it is built on this machine and is not on the node",
            "Run `vrooli develop`, which builds the images and loads them on the node, or set a "
            "tag that is on the node.",
        )
    why, remedy = KINDS[failure]
    if failure is PullFailure.DENIED and not items(pod, "spec", "imagePullSecrets"):
        return f"{why}, and no pull secret is set", remedy
    return why, remedy


RULE = Rule(
    rule_id="image-pull",
    title="ImagePullBackOff: a container's image cannot be pulled",
    find=find,
    link="https://kubernetes.io/docs/concepts/containers/images/",
)
