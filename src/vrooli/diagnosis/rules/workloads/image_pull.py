"""A container's image can't be had."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import AGAIN, states, told, way_back
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.rules.workloads import image_architecture
from vrooli.kube.objects import Body, items, ref_of, text
from vrooli.release.rollout import failures

REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")
EVENTS = ("Failed", "InspectFailed", "ErrImageNeverPull")
# Images of this registry are made on the machine: no registry has them.
LOCAL = "localhost/"
# What the kubelet says by itself, whatever the registry.
OWN_WORDS = "InvalidImageName|invalid reference|couldn't parse|ErrImageNeverPull"
# What runtimes say of an image that they have for other processors only.
OTHER_PLATFORM = failures.OTHER_PLATFORM.pattern
# What the words of runtimes and registries mean: why, and what to do. The first that is found.
KINDS = (
    (
        r"InvalidImageName|invalid reference format|couldn't parse image",
        "its name is no image's name",
        f"{AGAIN}: a name is [registry/]repository:tag in small letters.",
    ),
    (
        r"ErrImageNeverPull",
        "it may never be pulled, and isn't on the node",
        "Put it on the node, or set image.pullPolicy to IfNotPresent.",
    ),
    (
        r"(?i)toomanyrequests|\b429 too many|rate limit",
        "the registry gives no more for now",
        "Wait, or pull as a user with a higher limit: name a pull secret.",
    ),
    (
        r"(?i)no such host|timeout|connection refused|dial tcp|no route to host|x509|"
        r"network is unreachable|server misbehaving|tls: ",
        "the registry can't be reached",
        "See whether the node reaches it: its name, a proxy, a firewall, its certificate.",
    ),
    (
        r"(?i)\b401\b|\b403\b|unauthori[sz]ed|denied|authori[sz]ation|authentication|forbidden",
        "the registry refuses it",
        "Have a pull secret that may read it, and check the repository's name: registries say "
        "the same of one that doesn't exist.",
    ),
    (
        OTHER_PLATFORM,
        "it isn't made for the architecture of the node",
        image_architecture.remedy(),
    ),
    (
        r"(?i)not ?found|manifest unknown|does not exist",
        "there is no such image or tag",
        f"{AGAIN}, with a tag that exists.",
    ),
)
OTHER = ("it can't be pulled", f"{AGAIN}, with an image that exists.")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each workload with a container that waits for its image."""
    for owner, pod, item in states(evidence):
        reason = text(item, "state", "waiting", "reason")
        if reason in REASONS:
            said = _said(evidence, pod, item)
            why, remedy = _kind(text(item, "image"), f"{reason} {said}", pod)
            if re.search(OTHER_PLATFORM, said):
                architecture = image_architecture.node_architecture(evidence, pod)
                remedy = image_architecture.remedy(architecture)
            yield Symptom(
                about=owner,
                found=f"image {text(item, 'image')} can't be had: {why} ({reason}: {said})",
                remedy=remedy,
                command=way_back(evidence, owner),
                evidence=told(
                    evidence, ref_of(pod), "Failed", "InspectFailed", "ErrImageNeverPull"
                ),
            )


def _said(evidence: Evidence, pod: Body, item: Body) -> str:
    """What the runtime said; while it waits for the next try only an event has it."""
    name = text(item, "image")
    events = [
        event.message.strip()
        for event in evidence.events_of(ref_of(pod), "Failed", "InspectFailed")
        if name in event.message
    ]
    return events[-1] if events else text(item, "state", "waiting", "message")


def _kind(image: str, said: str, pod: Body) -> tuple[str, str]:
    # A name may have any word in it.
    said = re.sub(rf"(?<!\w){re.escape(image)}(?!\w)", "…", said) if image else said
    for pattern, why, remedy in KINDS:
        if re.search(pattern, said):
            if image.startswith(LOCAL) and not re.search(f"{OWN_WORDS}|{OTHER_PLATFORM}", said):
                return (
                    "it is made on this machine, and isn't on the node",
                    "`vrooli develop` makes the images and puts them there; or name a tag that is "
                    "there.",
                )
            if "refuses" in why and not items(pod, "spec", "imagePullSecrets"):
                return f"{why}, and no pull secret is named", remedy
            return why, remedy
    return OTHER


RULE = Rule(
    name="image-pull",
    title="ImagePullBackOff: a container's image can't be had",
    find=find,
    link="https://kubernetes.io/docs/concepts/containers/images/",
)
