"""The Deployments of the operators. No I/O here."""

from __future__ import annotations

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube.objects import Body, items
from vrooli.operators import Operator


def deployments(evidence: Evidence, operator: Operator) -> list[Body]:
    """The operator's Deployments: in its default namespace, otherwise in any.

    Deployments that an operator owns are excluded.
    """
    bodies = evidence.all("Deployment", operator.namespace)
    own = [body for body in bodies if not items(body, "metadata", "ownerReferences")]
    return own or [body for body in evidence.all("Deployment", "") if operator.is_run_by(body)]
