"""A pull secret that pods reference does not exist or has the wrong type."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import MOVING_S, is_older, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, creation_time, items, text

TYPES = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each pull secret of the pods that does not exist or has the wrong type."""
    if not evidence.is_readable("Secret"):
        return
    for owner, pod in evidence.current:
        for item in items(pod, "spec", "imagePullSecrets"):
            ref = Ref("Secret", text(item, "name"), evidence.namespace)
            facts = evidence.secrets.get(ref)
            if evidence.get(ref) is None:
                # A Secret that is synced from Vault appears shortly after the first pods.
                if not is_older(evidence, creation_time(pod), MOVING_S) and _is_filled(
                    evidence, ref
                ):
                    continue
                problem = f"{owner} references it as a pull secret, but it does not exist"
            elif facts is not None and facts.type not in TYPES:
                problem = (
                    f"{owner} references it as a pull secret, but its type is "
                    f"{facts.type or 'Opaque'}"
                )
            else:
                continue
            yield Symptom(
                resource=ref,
                message=f"{problem}: images of private registries cannot be pulled.",
                remediation="Create it from a file that `docker login` wrote (type "
                "kubernetes.io/dockerconfigjson), or sync it from Vault: "
                "vso.secrets.dockerhubPullSecret.",
                command=f"kubectl create secret docker-registry {shell.name(ref.name)} -n "
                f"{shell.label(ref.namespace)} "
                "--from-file=.dockerconfigjson=config.json",
                evidence=last_events(
                    evidence, Ref("Pod", text(pod, "metadata", "name"), ref.namespace)
                ),
                # Pods whose image is on the node do not need it.
                can_explain=("image-pull", "postgres-image-gone"),
            )


def _is_filled(evidence: Evidence, ref: Ref) -> bool:
    filled = evidence.all("VaultStaticSecret", ref.namespace)
    return any(text(item, "spec", "destination", "name") == ref.name for item in filled)


RULE = Rule(
    rule_id="pull-secret-missing",
    title="FailedToRetrieveImagePullSecret: the pull secret does not exist",
    find=find,
    link="https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/",
)
