"""An operator cannot apply a change to a database: version, volumes, or errors in its log."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import restore_field_command
from vrooli.environments import ENVIRONMENTS
from vrooli.kube.objects import Body, Ref, labels, ref_of, text
from vrooli.kube.status import is_pod_ready
from vrooli.operators import progress as operator_progress
from vrooli.operators.catalog import databases, find_operator
from vrooli.operators.reconcile_log import ObjectLog, ReconcileError
from vrooli.release.rollout.refusals import RESIZED_S

DATABASES = databases()
# The fields that an operator cannot change, if the setting is in one place.
SETTINGS = {
    "PostgresCluster": (("spec", "postgresVersion"),),
    "RedisFailover": (("spec", "redis", "storage"),),
}
REMEDY = (
    "Set the value back to the current state and deploy again. The data check shows that value and "
    "how to make the requested change."
)


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each database whose operator rejects a change or logs errors repeatedly."""
    for body in (body for kind in DATABASES for body in evidence.all(kind)):
        errors = list(_errors(evidence, body))
        reasons = [*_refusals(evidence, body), *(error.message for error in errors)]
        if reasons:
            ref = ref_of(body)
            yield Symptom(
                resource=ref,
                message=f"its operator cannot apply the change: {reasons[0]}",
                remediation=REMEDY,
                command=_command(evidence, ref),
                evidence=(*reasons[1:], *(error.line for error in errors)),
                # A database that keeps running blocks no other component.
                can_explain=("not-ready",) if _runs(evidence, body) else None,
            )


def _refusals(evidence: Evidence, body: Body) -> Iterator[str]:
    resource = DATABASES[text(body, "kind")]
    yield from operator_progress.refused_changes(resource, body, evidence)
    age_s = (evidence.now - operator_progress.changed_at(body)).total_seconds()
    if age_s >= RESIZED_S:
        yield from operator_progress.small_volumes(resource, body, evidence)


def _errors(evidence: Evidence, body: Body) -> Iterator[ReconcileError]:
    """The errors about the database in the logs of the operators, which run in other namespaces."""
    ref, since = ref_of(body), operator_progress.changed_at(body)
    operator = find_operator(ref.kind)
    read_errors = operator.reconcile_errors if operator is not None else None
    if read_errors is None:
        return
    for source, lines in evidence.logs.items():
        if source.previous or source.namespace == evidence.namespace:
            continue
        errors = read_errors(ObjectLog(lines, ref.namespace, ref.name, since))
        yield from (error for error in errors if error.is_current(evidence.now))


def _runs(evidence: Evidence, body: Body) -> bool:
    """Whether a database has pods, and all of them are ready."""
    ref = ref_of(body)
    pods = [
        pod
        for pod in evidence.all("Pod")
        if text(labels(pod), DATABASES[ref.kind].pod_label) == ref.name
    ]
    return bool(pods) and all(map(is_pod_ready, pods))


def _command(evidence: Evidence, ref: Ref) -> str:
    """The command that reverts a manual change, or the check that shows the value.

    Lists are not restored as a whole: the operator and other controllers write to them too.
    """
    for path in SETTINGS.get(ref.kind, ()):
        if command := restore_field_command(evidence, ref, *path):
            return command
    for environment in ENVIRONMENTS.values():
        if (environment.release, environment.namespace) == (evidence.release, evidence.namespace):
            return f"vrooli check --environment {shell.label(environment.name)}"
    return f"kubectl describe {ref.words}"


RULE = Rule(
    rule_id="operator-refuses",
    title="an operator cannot apply a change to a database (major version, volumes)",
    find=find,
    link="https://kubernetes.io/docs/concepts/storage/persistent-volumes/"
    "#expanding-persistent-volumes-claims",
)
