"""Names aren't resolved: the cluster's DNS is down, or doesn't answer."""

from __future__ import annotations

from collections.abc import Iterator

from vrooli.diagnosis.evidence.components.addons import DNS
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import resolve
from vrooli.diagnosis.evidence.workloads import down, last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import recover_command
from vrooli.kube.objects import ref_of


def find(evidence: Evidence) -> Iterator[Symptom]:
    """The DNS, when nothing of it runs, or when every pod that is asked gets no answer."""
    answers = [item for item in evidence.answers if item.probe == resolve.NAME and item.ok]
    failed = [item for item in answers if item.text == resolve.NOT_FOUND]
    lines = tuple(
        f"{item.about.name}: `getent hosts {resolve.HOSTNAME}`: {item.text}" for item in failed
    )
    # Where it has another name, only the answers tell.
    why = down(evidence, DNS) if evidence.get(DNS) else ""
    if why:
        problem, command = f"the cluster's DNS doesn't run: {why}.", recover_command(evidence, DNS)
    elif answers and len(failed) == len(answers):
        problem = "the cluster's DNS doesn't resolve names for the release's pods."
        command = f"kubectl logs {DNS.words} --tail=50"
    else:
        return
    yield Symptom(
        resource=DNS,
        message=f"{problem} No service finds another.",
        remediation="Start it; when it runs, see its log, and whether a NetworkPolicy closes "
        "port 53.",
        command=command,
        evidence=(*last_events(evidence, DNS), *lines),
        affects=tuple(ref_of(body) for body in evidence.all("Deployment")),
    )


RULE = Rule(
    rule_id="dns-failing",
    title="no such host, Temporary failure in name resolution: the cluster's DNS is down",
    find=find,
    link="https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/",
)
