"""A container's image can't be had."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.objects import container_states, ref_of, text

REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each workload with a container that waits for its image."""
    for pod in evidence.all("Pod"):
        for item in container_states(pod):
            reason = text(item, "state", "waiting", "reason")
            if reason in REASONS:
                image = text(item, "image")
                events = evidence.events_of(ref_of(pod), "Failed")
                yield Symptom(
                    about=evidence.owner(pod),
                    found=f"image {image} can't be had ({reason}): "
                    f"{text(item, 'state', 'waiting', 'message')}",
                    remedy="Name an image and tag that exist, and have a pull secret that may read "
                    "it; then deploy again.",
                    command=f"kubectl describe {ref_of(pod).words}",
                    evidence=tuple(str(event) for event in events[-3:]),
                )


RULE = Rule(
    name="image-pull",
    title="ImagePullBackOff: a container's image can't be had",
    find=find,
    link="https://kubernetes.io/docs/concepts/containers/images/",
)
