"""An operator can't do what is asked of a database: version, volumes, or what its log tells."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import restore_field_command
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.operators import KINDS
from vrooli.environments import ENVIRONMENTS
from vrooli.kube.objects import Body, Ref, labels, ref_of, text
from vrooli.kube.status import is_pod_ready
from vrooli.operators import reconcile_log
from vrooli.operators.reconcile_log import ReconcileError
from vrooli.release.rollout import operator_progress
from vrooli.release.rollout.refusals import RESIZED_S

# What an operator can't change, as far as it stands in one place.
SETTINGS = {
    "PostgresCluster": (("spec", "postgresVersion"),),
    "RedisFailover": (("spec", "redis", "storage"),),
}
REMEDY = (
    "Set the value back to what is there and deploy again; the check of the data names it, and the "
    "way to what was asked for."
)


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each database whose operator refuses a change, or meets with an error again and again."""
    for body in (body for kind in KINDS for body in evidence.all(kind)):
        errors = list(_errors(evidence, body))
        reasons = [*_refusals(evidence, body), *(error.message for error in errors)]
        if reasons:
            ref = ref_of(body)
            yield Symptom(
                resource=ref,
                message=f"its operator can't do what is asked for: {reasons[0]}",
                remediation=REMEDY,
                command=_command(evidence, ref),
                evidence=(*reasons[1:], *(error.line for error in errors)),
                # A database that runs as before stops nobody.
                can_explain=("not-ready",) if _runs(evidence, body) else None,
            )


def _refusals(evidence: Evidence, body: Body) -> Iterator[str]:
    yield from operator_progress.refused_changes(body, evidence)
    age_s = (evidence.now - operator_progress.changed_at(body)).total_seconds()
    if age_s >= RESIZED_S:
        yield from operator_progress.small_volumes(body, evidence)


def _errors(evidence: Evidence, body: Body) -> Iterator[ReconcileError]:
    """The errors in the operators' logs, which run in other namespaces."""
    ref, since = ref_of(body), operator_progress.changed_at(body)
    for source, lines in evidence.logs.items():
        if source.previous or source.namespace == evidence.namespace:
            continue
        errors = (
            reconcile_log.of_redis(lines, ref.namespace, ref.name, since)
            if ref.kind == "RedisFailover"
            else reconcile_log.of_postgres(lines, since)
        )
        for error in errors:
            is_of = (error.namespace, error.name) == (ref.namespace, ref.name)
            if is_of and error.holds(evidence.now):
                yield error


def _runs(evidence: Evidence, body: Body) -> bool:
    """Whether a database has pods, and all of them are ready."""
    ref = ref_of(body)
    pods = [pod for pod in evidence.all("Pod") if text(labels(pod), KINDS[ref.kind]) == ref.name]
    return bool(pods) and all(map(is_pod_ready, pods))


def _command(evidence: Evidence, ref: Ref) -> str:
    """The command that puts back what somebody changed by hand, else the one that names the value.

    Lists of an operator's resource hold what others write: they are none to put back as a whole.
    """
    for path in SETTINGS[ref.kind]:
        if command := restore_field_command(evidence, ref, *path):
            return command
    for environment in ENVIRONMENTS.values():
        if (environment.release, environment.namespace) == (evidence.release, evidence.namespace):
            return f"vrooli check --environment {environment.name}"
    return f"kubectl describe {ref.words}"


RULE = Rule(
    rule_id="operator-refuses",
    title="an operator can't change a database as asked (major version, volumes)",
    find=find,
    link="https://kubernetes.io/docs/concepts/storage/persistent-volumes/"
    "#expanding-persistent-volumes-claims",
)
