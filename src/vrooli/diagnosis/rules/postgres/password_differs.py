"""The password in the clients' Secret differs from the database's."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import rotation
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import patch, restore_field_command
from vrooli.kube.objects import Ref, labels, ref_of, text
from vrooli.operators.pgo.names import CLUSTER_LABEL, USER_LABEL
from vrooli.operators.vso.templates import templates
from vrooli.secrets.catalog import POSTGRES

THEIRS, OURS = "DB_PASSWORD", "password"
# The keys of the user name in the clients' Secret and in PGO's.
THEIR_USER, OUR_USER = "DB_USER", "user"
TEMPLATES = ("spec", "destination", "transformation", "templates")
WORDS = "password authentication failed for user"


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each Secret of a database user whose password differs from the clients' Secret."""
    clients = Ref("Secret", evidence.names.secrets[POSTGRES], evidence.namespace)
    mark = _mark(evidence, clients, THEIRS)
    published = rotation.publication(evidence, clients)
    users = [item for item in evidence.all("Secret") if USER_LABEL in labels(item)]
    log = quoted(list(recent_lines(evidence, WORDS)), 2)
    for item in users if mark else ():
        ref = ref_of(item)
        mark_of_user = _mark(evidence, ref, OURS)
        if mark_of_user and mark_of_user != mark and _is_used(evidence, clients, ref):
            user = text(labels(item), USER_LABEL)
            yield Symptom(
                resource=ref,
                message=f'password authentication failed for user "{user}": the database has the '
                f"password of Secret {ref.name}, but the clients send the password of Secret "
                f"{clients.name}, which differs.",
                remediation="The rotator sets that password in the database within a minute. Its "
                "events show what it is waiting for."
                if published
                else "Sync both from one secret in Vault (vso.secrets.postgres).",
                command=f"kubectl describe {published.rotator.words}"
                if published
                else _command(evidence, ref),
                evidence=(
                    f"{ref.name}/{OURS} and {clients.name}/{THEIRS} differ",
                    *log,
                ),
                affects=(Ref("PostgresCluster", text(labels(item), CLUSTER_LABEL), ref.namespace),),
            )


def _is_used(evidence: Evidence, clients: Ref, secret: Ref) -> bool:
    """Whether the clients log in as this user, as far as that is known: rotation uses two users."""
    theirs, ours = _mark(evidence, clients, THEIR_USER), _mark(evidence, secret, OUR_USER)
    return not theirs or not ours or theirs == ours


def _mark(evidence: Evidence, ref: Ref, key: str) -> str:
    facts = evidence.secrets.get(ref)
    return facts.marks.get(key, "") if facts is not None and facts.lengths.get(key) else ""


def _command(evidence: Evidence, secret: Ref) -> str:
    """The command that restores how the release syncs the database's Secret from Vault."""
    for item in evidence.all("VaultStaticSecret"):
        if text(item, "spec", "destination", "name") == secret.name:
            ref = ref_of(item)
            for path in (TEMPLATES, ("spec", "path")):
                if back := restore_field_command(evidence, ref, *path):
                    return back
            if templates(item).get(OURS) != _template():
                return patch(ref, _template(), *TEMPLATES, OURS, "text")
            return f"kubectl describe {ref.words}"
    return f"kubectl describe {secret.words}"


def _template() -> str:
    return f'{{{{ get .Secrets "{THEIRS}" }}}}'


RULE = Rule(
    rule_id="postgres-password-differs",
    title="`password authentication failed for user`: two Secrets have different passwords",
    find=find,
    link="https://access.crunchydata.com/documentation/postgres-operator/latest/architecture/"
    "user-management",
)
