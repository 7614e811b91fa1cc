"""The pull secret that pods name isn't there, or is none."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import MOVING_S, is_older, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, creation_time, items, text

TYPES = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each Secret that pods name as theirs for pulling, and that isn't one."""
    if not evidence.is_readable("Secret"):
        return
    for owner, pod in evidence.current:
        for item in items(pod, "spec", "imagePullSecrets"):
            ref = Ref("Secret", text(item, "name"), evidence.namespace)
            facts = evidence.secrets.get(ref)
            if evidence.get(ref) is None:
                # A Secret that Vault fills comes moments after the first pods.
                if not is_older(evidence, creation_time(pod), MOVING_S) and _is_filled(
                    evidence, ref
                ):
                    continue
                problem = f"{owner} names it as pull secret, and it doesn't exist"
            elif facts is not None and facts.type not in TYPES:
                problem = (
                    f"{owner} names it as pull secret, and its type is {facts.type or 'Opaque'}"
                )
            else:
                continue
            yield Symptom(
                resource=ref,
                message=f"{problem}: images of private registries can't be pulled.",
                remediation="Make it from a file that `docker login` wrote (type "
                "kubernetes.io/dockerconfigjson), or have Vault fill it: "
                "vso.secrets.dockerhubPullSecret.",
                command=f"kubectl create secret docker-registry {ref.name} -n {ref.namespace} "
                "--from-file=.dockerconfigjson=config.json",
                evidence=last_events(
                    evidence, Ref("Pod", text(pod, "metadata", "name"), ref.namespace)
                ),
                # What has its image already doesn't need it.
                can_explain=("image-pull", "postgres-image-gone"),
            )


def _is_filled(evidence: Evidence, ref: Ref) -> bool:
    filled = evidence.all("VaultStaticSecret", ref.namespace)
    return any(text(item, "spec", "destination", "name") == ref.name for item in filled)


RULE = Rule(
    rule_id="pull-secret-missing",
    title="FailedToRetrieveImagePullSecret: the pull secret isn't there",
    find=find,
    link="https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/",
)
