"""A container's image can't be pulled."""

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
# Images of this registry are made on the machine: no registry has them.
LOCAL = "localhost/"
# What the kubelet says by itself, or a runtime of an image that it has: whatever the registry.
WITHOUT_REGISTRY = (
    PullFailure.INVALID_NAME,
    PullFailure.NEVER_PULLED,
    PullFailure.OTHER_PLATFORM,
)
# Why each failure happens, and what to do about it.
KINDS = {
    PullFailure.INVALID_NAME: (
        "its name is no image's name",
        f"{REDEPLOY_HINT}: a name is [registry/]repository:tag in small letters.",
    ),
    PullFailure.NEVER_PULLED: (
        "it may never be pulled, and isn't on the node",
        "Put it on the node, or set image.pullPolicy to IfNotPresent.",
    ),
    PullFailure.RATE_LIMITED: (
        "the registry gives no more for now",
        "Wait, or pull as a user with a higher limit: name a pull secret.",
    ),
    PullFailure.UNREACHABLE: (
        "the registry can't be reached",
        "See whether the node reaches it: its name, a proxy, a firewall, its certificate.",
    ),
    PullFailure.DENIED: (
        "the registry refuses it",
        "Have a pull secret that may read it, and check the repository's name: registries say "
        "the same of one that doesn't exist.",
    ),
    PullFailure.OTHER_PLATFORM: (
        "it isn't made for the architecture of the node",
        image_architecture.remedy(),
    ),
    PullFailure.NOT_FOUND: (
        "there is no such image or tag",
        f"{REDEPLOY_HINT}, with a tag that exists.",
    ),
    PullFailure.OTHER: ("it can't be pulled", f"{REDEPLOY_HINT}, with an image that exists."),
}


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each workload with a container that waits for its image."""
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
                message=f"image {item.image} can't be pulled: {why} ({reason}: {message})",
                remediation=remedy,
                command=rollback_command(evidence, owner),
                evidence=last_events(
                    evidence, ref_of(pod), "Failed", "InspectFailed", "ErrImageNeverPull"
                ),
            )


def _pull_error(evidence: Evidence, pod: Body, item: ContainerStatus) -> str:
    """What the runtime said; while it waits for the next try only an event has it."""
    events = [
        event.message.strip()
        for event in evidence.events_of(ref_of(pod), "Failed", "InspectFailed")
        if item.image in event.message
    ]
    return events[-1] if events else item.waiting_message


def _kind(item: ContainerStatus, failure: PullFailure, pod: Body) -> tuple[str, str]:
    if item.image.startswith(LOCAL) and failure not in (*WITHOUT_REGISTRY, PullFailure.OTHER):
        return (
            "it is made on this machine, and isn't on the node",
            "`vrooli develop` makes the images and puts them there; or name a tag that is there.",
        )
    why, remedy = KINDS[failure]
    if failure is PullFailure.DENIED and not items(pod, "spec", "imagePullSecrets"):
        return f"{why}, and no pull secret is named", remedy
    return why, remedy


RULE = Rule(
    rule_id="image-pull",
    title="ImagePullBackOff: a container's image can't be pulled",
    find=find,
    link="https://kubernetes.io/docs/concepts/containers/images/",
)
