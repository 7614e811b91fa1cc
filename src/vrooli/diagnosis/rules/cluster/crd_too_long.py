"""A custom resource definition was rejected because kubectl copies it into an annotation."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref
from vrooli.operators import OPERATORS
from vrooli.operators.redis.operator import FAILOVER

WORDS = "metadata.annotations: Too long"
SOURCE = "https://raw.githubusercontent.com/spotahome/redis-operator/v1.2.4/manifests/"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield the definition that Helm's or an event's error names."""
    message = [evidence.helm.description, *(event.message for event in evidence.events)]
    lines = [line.strip() for line in message if WORDS in line]
    names = {item.definition for operator in OPERATORS for item in operator.resources}
    for line in lines[:1]:
        name = next((name for name in sorted(names) if name in line), FAILOVER.definition)
        yield Symptom(
            resource=Ref("CustomResourceDefinition", name),
            message=f"client-side apply fails: {line}",
            remediation="Use a server-side apply, which stores no copy in an annotation.",
            command=f"kubectl apply --server-side -f {SOURCE}"
            "databases.spotahome.com_redisfailovers.yaml"
            if name == FAILOVER.definition
            else f"kubectl apply --server-side -f {shell.name(name)}.yaml",
            evidence=(line,),
        )


RULE = Rule(
    rule_id="crd-too-long",
    title="`metadata.annotations: Too long: must have at most 262144 bytes`",
    find=find,
    link="https://kubernetes.io/docs/reference/using-api/server-side-apply/",
)
