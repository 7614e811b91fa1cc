"""The API server rejects a workload's pods: pod security, limits, webhooks, service account."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components.addons import deployments_behind
from vrooli.diagnosis.evidence.failed_create import refusals
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import down
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import REDEPLOY_HINT, recover_command, rollback_command
from vrooli.kube.objects import Ref

QUOTA = "exceeded quota"
ACCOUNT = re.compile(r'serviceaccounts? "([^"]+)" not found')
SILENT = "failed calling webhook"
# The URL of the webhook's Service in the API server's message.
SERVICE = re.compile(r"https://([a-z0-9-]+)\.([a-z0-9-]+)\.svc\b")
WEBHOOKS = "validatingwebhookconfigurations,mutatingwebhookconfigurations"
# Each rejection: pattern, cause, remediation.
KINDS = (
    (
        r"violates PodSecurity",
        "the namespace's pod security forbids it",
        f"{REDEPLOY_HINT} with what is allowed: podSecurityContext and containerSecurityContext.",
    ),
    (
        r"(?:maximum|minimum) \S+ usage per|maximum \S+ limit to request ratio",
        "the namespace's LimitRange forbids it",
        "Request what the LimitRange allows (services.*.resources), or change the LimitRange.",
    ),
    (
        SILENT,
        "a required webhook does not respond",
        "Start the webhook's Service, or delete the webhook configuration if it is no longer used.",
    ),
    (
        r"denied the request",
        "a webhook forbids it",
        f"{REDEPLOY_HINT} with what the webhook allows.",
    ),
    (
        r'serviceaccounts? "[^"]+" not found',
        "its service account does not exist",
        "Create the service account, or deploy again.",
    ),
    (
        r"no PriorityClass",
        "its priority class does not exist",
        "Create the class, or correct services.*.priorityClassName.",
    ),
    (r"is invalid: ", "the requested pod is invalid", f"{REDEPLOY_HINT}."),
)


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each workload whose pods are rejected, except by a quota, which has its own rule."""
    for item in refusals(evidence):
        if QUOTA in item.message:
            continue
        entry = next((kind for kind in KINDS if re.search(kind[0], item.message)), None)
        _, why, remedy = entry or ("", "the API server forbids it", f"{REDEPLOY_HINT}.")
        yield Symptom(
            resource=item.workload,
            message=f"its pods are not created: {why}: {item.message}",
            remediation=remedy,
            command=_command(evidence, item.workload, item.message),
            evidence=(f"FailedCreate {item.workload}: {item.message}",),
        )


def _command(evidence: Evidence, workload: Ref, message: str) -> str:
    if account := ACCOUNT.search(message):
        name = account[1].rpartition("/")[2]
        return (
            f"kubectl create serviceaccount {shell.name(name)} -n {shell.label(workload.namespace)}"
        )
    if SILENT in message:
        return _webhook(evidence, message)
    if "webhook" in message:
        return rollback_command(evidence, workload, f"kubectl get {WEBHOOKS}")
    return rollback_command(evidence, workload)


def _webhook(evidence: Evidence, message: str) -> str:
    """The command that starts or shows the webhook's Service; a rollback does not help."""
    match = SERVICE.search(message)
    if match is None:
        return f"kubectl get {WEBHOOKS}"
    service = Ref("Service", match[1], match[2])
    for deployment in deployments_behind(evidence, evidence.get(service) or {}):
        if down(evidence, deployment):
            return recover_command(evidence, deployment)
    return f"kubectl describe {service.words}"


RULE = Rule(
    rule_id="pod-refused",
    title="FailedCreate: pods are rejected (security, limits, webhook, service account)",
    find=find,
    link="https://kubernetes.io/docs/concepts/security/pod-security-standards/",
)
