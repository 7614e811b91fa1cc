"""The three operators that keep a release: whether one runs, and whether its kinds are served.

No I/O here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vrooli import operators
from vrooli.diagnosis.evidence.model import ELSEWHERE, Evidence
from vrooli.diagnosis.evidence.workloads import down, last_events, recover_command
from vrooli.diagnosis.interface import Symptom
from vrooli.kube.objects import Body, Ref, has_label, items, ref_of

SETUP = "vrooli setup --target k8s-cluster"


@dataclass(frozen=True)
class Keeper:
    """An operator.

    Attributes:
        title: What people call it.
        namespace: Where it runs.
        selector: What its Deployment has as a label, wherever it is.
        kinds: What it keeps, each with its definition's name.
        stops: What doesn't happen while it is down.
    """

    title: str
    namespace: str
    selector: str
    kinds: dict[str, str]
    stops: str


PGO = Keeper(
    "PGO, the PostgreSQL operator,",
    "postgres-operator",
    operators.POSTGRES.selector,
    {"PostgresCluster": "postgresclusters.postgres-operator.crunchydata.com"},
    "changes, passwords, backups and new instances of PostgreSQL wait for it",
)
REDIS = Keeper(
    "the Redis operator",
    "redis-operator",
    operators.REDIS.selector,
    {"RedisFailover": "redisfailovers.databases.spotahome.com"},
    "nothing heals Redis and nothing follows its changes",
)
VSO = Keeper(
    "the Vault Secrets Operator",
    "vault-secrets-operator-system",
    operators.VAULT_SECRETS.selector,
    {
        "VaultConnection": "vaultconnections.secrets.hashicorp.com",
        "VaultAuth": "vaultauths.secrets.hashicorp.com",
        "VaultStaticSecret": "vaultstaticsecrets.secrets.hashicorp.com",
    },
    "no secret comes from Vault and none is renewed",
)


ALL = (PGO, REDIS, VSO)


def not_running(evidence: Evidence, keeper: Keeper) -> Iterator[Symptom]:
    """The operator, if the release needs it and nothing of it runs."""
    dependents = [ref_of(body) for kind in keeper.kinds for body in evidence.all(kind)]
    if not dependents:
        return
    bodies = deployments(evidence, keeper)
    is_readable = evidence.is_readable("Deployment", keeper.namespace)
    if not bodies and is_readable and not evidence.is_hidden("Deployment", ELSEWHERE):
        yield Symptom(
            resource=Ref("Namespace", keeper.namespace),
            message=f"{keeper.title} isn't there: {keeper.stops}.",
            remediation="Install it.",
            command=SETUP,
            affects=tuple(dependents),
        )
    for ref in map(ref_of, bodies):
        if why := down(evidence, ref):
            yield Symptom(
                resource=ref,
                message=f"{keeper.title} doesn't run ({why}): {keeper.stops}.",
                remediation="Bring it up; if it doesn't stay so, its events and its log say why.",
                command=recover_command(evidence, ref),
                evidence=last_events(evidence, ref),
                affects=tuple(dependents),
            )


def not_served(evidence: Evidence, keeper: Keeper, remedy: str, command: str) -> Iterator[Symptom]:
    """The definitions of an operator's kinds that the release needs and the cluster lacks."""
    for kind, definition in keeper.kinds.items():
        manifests = evidence.manifests_of(kind)
        if manifests and not evidence.is_readable(kind) and not evidence.is_hidden(kind):
            yield Symptom(
                resource=Ref("CustomResourceDefinition", definition),
                message=f'no matches for kind "{kind}": the cluster doesn\'t know what '
                f"{keeper.title.rstrip(',')} reads.",
                remediation=remedy,
                command=command,
                affects=tuple(Ref(kind, item.name, evidence.namespace) for item in manifests),
            )


def deployments(evidence: Evidence, keeper: Keeper) -> list[Body]:
    """The operator's own Deployments: in its own namespace, else in any, as a check finds them.

    None that an operator owns, as far as its name alone would tell.
    """
    bodies = evidence.all("Deployment", keeper.namespace)
    own = [body for body in bodies if not items(body, "metadata", "ownerReferences")]
    return own or [
        body for body in evidence.all("Deployment", "") if has_label(body, keeper.selector)
    ]
