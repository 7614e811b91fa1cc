"""A replica has transactions that the leader does not have, so that it cannot follow it."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli import shell
from vrooli.diagnosis.evidence.components import postgres
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.objects import Ref, ref_of
from vrooli.operators.pgo import members, names

# What PostgreSQL writes every five seconds. Sources: walreceiver.c, xlogrecovery.c, timeline.c.
WORDS = (
    r"is not in this server's history|forked off current database system timeline"
    r"|is not a child of this server's history"
)


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each replica of another timeline whose PostgreSQL says that it cannot follow.

    The timeline alone is no proof: after a switchover, Patroni reports the former one for seconds.
    """
    for cluster, _ in postgres.clusters(evidence):
        for replica in members.diverged(postgres.instances(evidence, cluster)):
            ref = ref_of(replica.pod)
            log = list(recent_lines(evidence, WORDS, ref.namespace, ref.name))
            if not log:
                continue
            yield Symptom(
                resource=ref,
                message=f"{replica}. It has transactions that the leader does not have, for "
                "example after a restore or a failover, and Patroni has not repaired it: it "
                "cannot replace the leader.",
                remediation="Make a backup (`vrooli backup`), from which Patroni copies the data "
                "of a replica, then have Patroni replace its data.",
                command=_copy(cluster, ref_of(replica.leader), ref),
                evidence=quoted(log, 2),
                affects=(cluster,),
            )


def _copy(cluster: Ref, leader: Ref, replica: Ref) -> str:
    return (
        f"kubectl exec {shell.name(leader.name)} -n {shell.label(leader.namespace)} -c "
        f"{postgres.CONTAINER} -- patronictl reinit --force "
        f"{shell.name(names.patroni_scope(cluster.name))} {shell.name(replica.name)}"
    )


RULE = Rule(
    rule_id="postgres-replica-diverged",
    title="A replica does not follow: `requested starting point … is not in this server's history`",
    find=find,
    link="https://patroni.readthedocs.io/en/latest/patronictl.html#patronictl-reinit",
)
