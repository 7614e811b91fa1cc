"""A pod cannot start because a Secret, a ConfigMap or a key of one does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import rotation
from vrooli.diagnosis.evidence.model import Evidence, is_recent
from vrooli.diagnosis.evidence.workloads import last_events, states
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import REDEPLOY_HINT, rollback_command
from vrooli.kube.objects import Body, Ref, ref_of
from vrooli.kube.status import ContainerStatus
from vrooli.kube.status.missing_config import parse_missing_config
from vrooli.kube.status.pods import CONFIG_ERROR

RECENT_S = 180.0


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each missing object that a container waits for."""
    for owner, pod, item in states(evidence):
        message = _missing_message(evidence, pod, item)
        if not message:
            continue
        about, what = _missing_object(evidence, message)
        yield Symptom(
            resource=about or owner,
            message=f"{owner} cannot start: {what or message}",
            remediation=_remedy(evidence, about),
            command=_command(evidence, owner, about),
            evidence=(
                f"{ref_of(pod).name}/{item.name}: {message}",
                *last_events(evidence, ref_of(pod), "Failed", "FailedMount", most=2),
            ),
        )


def _missing_message(evidence: Evidence, pod: Body, item: ContainerStatus) -> str:
    """The kubelet's message about a missing object, for the environment or a volume."""
    reason = item.waiting_reason
    if reason == CONFIG_ERROR:
        return item.waiting_message
    if reason in ("ContainerCreating", "PodInitializing"):
        for event in reversed(evidence.events_of(ref_of(pod), "FailedMount")):
            missing = parse_missing_config(event.message)
            if missing is not None and is_recent(event, evidence.now, RECENT_S):
                return event.message.strip()
    return ""


def _missing_object(evidence: Evidence, message: str) -> tuple[Ref | None, str]:
    """The object that does not exist or lacks a key, with a description."""
    missing = parse_missing_config(message)
    if missing is None or not missing.name:
        return None, ""
    ref = Ref(missing.kind, missing.name, evidence.namespace)
    if missing.key:
        return ref, f"{ref} has no key {missing.key}{_keys(evidence, ref)}"
    return (ref, f"{ref} does not exist") if evidence.get(ref) is None else (None, "")


def _keys(evidence: Evidence, ref: Ref) -> str:
    facts, body = evidence.secrets.get(ref), evidence.get(ref) or {}
    data = body.get("data")
    existing = sorted(facts.lengths if facts else data if isinstance(data, dict) else ())
    return f" (it has {', '.join(existing)})" if existing else ""


def _remedy(evidence: Evidence, about: Ref | None) -> str:
    if about is not None and (publication := _unpublished(evidence, about)):
        return (
            f"The rotator creates it from Secret {publication.source.name}: check what the "
            "rotator is waiting for."
        )
    if about is not None and about.kind == "Secret":
        return "Write it to Vault at the path it is synced from, or correct the name."
    if about is not None and any(
        (item.kind, item.name) == (about.kind, about.name) for item in evidence.manifests
    ):
        return "It is part of the release and was changed or deleted: deploy again."
    return f"Create it, or correct its name. {REDEPLOY_HINT}, or roll back."


def _command(evidence: Evidence, owner: Ref, about: Ref | None) -> str:
    if about is None or about.kind != "Secret":
        return rollback_command(evidence, owner)
    if publication := _unpublished(evidence, about):
        return f"kubectl describe {publication.rotator.words}"
    filler = rotation.filler(evidence, about)
    return (
        f"kubectl describe {ref_of(filler).words}" if filler else rollback_command(evidence, owner)
    )


def _unpublished(evidence: Evidence, secret: Ref) -> rotation.Publication | None:
    """The publication of a Secret that does not exist although its source does."""
    publication = rotation.publication(evidence, secret)
    has_source = publication is not None and evidence.get(publication.source) is not None
    return publication if has_source and evidence.get(secret) is None else None


RULE = Rule(
    rule_id="config-missing",
    title="CreateContainerConfigError: a Secret, a ConfigMap or a key does not exist",
    find=find,
    link="https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/",
)
