"""Commands that fix a workload or restore an object of the release. No I/O here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vrooli import shell
from vrooli.diagnosis.evidence.components import health_report
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import deployed_field
from vrooli.diagnosis.remedies import operators
from vrooli.environments import ENVIRONMENTS
from vrooli.kube.objects import Body, Ref, annotations_of, dig, items, ref_of, text
from vrooli.kube.status import is_pod_ready, workload_status
from vrooli.redaction import Redactor

REVISION = "deployment.kubernetes.io/revision"
# The advice to deploy a corrected version, for the remedies.
REDEPLOY_HINT = "Correct it in the values and deploy again"


def rollback_command(evidence: Evidence, workload: Ref, default: str = "") -> str:
    """The command that rolls a Deployment back to a working version, or the default command.

    Workloads of an operator cannot be rolled back: the operator reverts the change.
    """
    owner = operators.resource(evidence, workload)
    if owner is not None:
        return default or f"kubectl describe {owner.words}"
    if workload.kind == "Deployment":
        sets = _replica_sets(evidence, workload)
        older = sets[:-1]
        worked = [item for item in older if workload_status(item).ready] or older
        if worked:
            to = text(annotations_of(worked[-1]), REVISION)
            return f"kubectl rollout undo {workload.words} --to-revision={shell.amount(to)}"
    return default or f"kubectl describe {workload.words}"


def _replica_sets(evidence: Evidence, workload: Ref) -> list[Body]:
    """A Deployment's ReplicaSets, the newest last."""
    sets = [
        item
        for item in evidence.all("ReplicaSet", workload.namespace)
        if any(
            owner.get("kind") == workload.kind and owner.get("name") == workload.name
            for owner in items(item, "metadata", "ownerReferences")
        )
        and text(annotations_of(item), REVISION).isdigit()
    ]
    return sorted(sets, key=lambda item: int(text(annotations_of(item), REVISION)))


def restore_field_command(evidence: Evidence, ref: Ref, *path: str) -> str:
    """The command that restores a field from Helm's record; empty if it is unchanged."""
    live, desired = dig(evidence.get(ref), *path), deployed_field(evidence, ref, *path)
    if desired is None or desired == live:
        return ""
    if isinstance(desired, Mapping) and isinstance(live, Mapping):
        desired = {**dict.fromkeys(live), **desired}
    command = patch(ref, desired, *path)
    return command if _can_be_shown(command) else _as_deployed(evidence)


def _can_be_shown(command: str) -> bool:
    """Whether a command contains nothing to redact: a redacted command would do harm.

    Parts of a secret template can equal secret values, which are redacted.
    """
    return "{{" not in command and Redactor().text(command) == command


def _as_deployed(evidence: Evidence) -> str:
    """The command that restores the release's newest revision."""
    number = evidence.helm.number
    for environment in ENVIRONMENTS.values():
        if (environment.release, environment.namespace) == (evidence.release, evidence.namespace):
            return (
                f"vrooli rollback {shell.amount(number)} --environment "
                f"{shell.label(environment.name)}"
            )
    return (
        f"helm rollback {shell.label(evidence.release)} {shell.amount(number)} -n "
        f"{shell.label(evidence.namespace)}"
    )


def patch(ref: Ref, value: Any, *path: str) -> str:
    """The command that sets one field of an object."""
    for key in reversed(path):
        value = {key: value}
    return f"kubectl patch {ref.words} --type=merge -p {shell.quote(json.dumps(value))}"


def recover_command(evidence: Evidence, workload: Ref) -> str:
    """The command that starts or restarts a workload."""
    body = evidence.get(workload) or {}
    if dig(body, "spec", "replicas") == 0:
        return f"kubectl scale {workload.words} --replicas=1"
    return f"kubectl rollout restart {workload.words}" if body else ""


def inspect_command(evidence: Evidence, resource: Ref) -> str:
    """The command that shows why a database or a workload is down.

    It describes the first pod that is not ready. If all are ready, it shows the log of the first.
    """
    pods = health_report.pods(evidence, resource)
    unready = next((ref_of(pod) for pod in pods if not is_pod_ready(pod)), None)
    if unready is not None or not pods:
        return f"kubectl describe {(unready or resource).words}"
    return f"kubectl logs {ref_of(pods[0]).words} --all-containers --tail=50"
