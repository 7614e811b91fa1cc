"""A container's program is built for a different architecture than its node's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events, log_of, states
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import rollback_command
from vrooli.kube.objects import Body, Ref, labels, ref_of, text
from vrooli.kube.status import ContainerStatus, Termination

# The kernel's error, as runtimes and shells report it.
WORDS = re.compile(r"(?i)exec format error")
ARCHITECTURE = "kubernetes.io/arch"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each workload with a container whose program the node's processor cannot execute."""
    for owner, pod, item in states(evidence):
        message = _error_message(evidence, pod, item)
        if item.is_ready or not message:
            continue
        arch = node_architecture(evidence, pod)
        yield Symptom(
            resource=owner,
            message=f"image {item.image} (container {item.name}) is not built for the architecture "
            f"of its node ({arch or 'unknown'}): {message}",
            remediation=remedy(arch),
            command=rollback_command(evidence, owner, f"kubectl get nodes -L {ARCHITECTURE}"),
            evidence=(
                *last_events(evidence, ref_of(pod), "Failed", "BackOff"),
                *log_of(evidence, pod, item.name),
            ),
        )


def _error_message(evidence: Evidence, pod: Body, item: ContainerStatus) -> str:
    """The error message, from the container's state or its log."""
    ends = (item.terminated, item.last_terminated)
    for message in (item.waiting_message, *(end.message for end in ends if end is not None)):
        if WORDS.search(message):
            return message.strip()
    ended = item.latest_end or Termination()
    log = log_of(evidence, pod, item.name) if ended.exit_code else ()
    return next((line.partition(": ")[2] for line in reversed(log) if WORDS.search(line)), "")


def node_architecture(evidence: Evidence, pod: Body) -> str:
    """The architecture of a pod's node, such as amd64; empty if unknown."""
    node = evidence.get(Ref("Node", text(pod, "spec", "nodeName"))) or {}
    return text(labels(node), ARCHITECTURE) or text(node, "status", "nodeInfo", "architecture")


def remedy(architecture: str = "") -> str:
    """The remediation for an image of a different architecture."""
    which = (
        f"its node's architecture ({ARCHITECTURE}: {architecture})"
        if architecture
        else (f"its node's architecture (the node's label {ARCHITECTURE})")
    )
    return (
        f"Build the image for {which}, use a tag that supports it, or schedule the pods on nodes "
        "with the image's architecture (services.*.nodeSelector)."
    )


RULE = Rule(
    rule_id="image-architecture",
    title="`exec format error`: an image is built for a different architecture",
    find=find,
    link="https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-arch",
)
