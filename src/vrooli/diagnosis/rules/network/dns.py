"""Names are not resolved: the cluster's DNS is down or does not respond."""

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
    """Yield the cluster's DNS if it is not running or no probed pod resolves a name."""
    answers = [item for item in evidence.answers if item.probe == resolve.NAME and item.ok]
    failed = [item for item in answers if item.text == resolve.NOT_FOUND]
    lines = tuple(
        f"{item.about.name}: `getent hosts {resolve.HOSTNAME}`: {item.text}" for item in failed
    )
    # Under a different name only the probes show whether it works.
    why = down(evidence, DNS) if evidence.get(DNS) else ""
    if why:
        problem, command = (
            f"the cluster's DNS is not running: {why}.",
            recover_command(evidence, DNS),
        )
    elif answers and len(failed) == len(answers):
        problem = "the cluster's DNS does not resolve names for the release's pods."
        command = f"kubectl logs {DNS.words} --tail=50"
    else:
        return
    yield Symptom(
        resource=DNS,
        message=f"{problem} Services cannot find each other.",
        remediation="Start it. If it is running, check its log and whether a NetworkPolicy blocks "
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
