"""The destination Secret of a VaultStaticSecret does not exist, and create is false."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.log_search import quoted, recent_lines
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.workloads import last_events
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import patch, restore_field_command
from vrooli.kube.objects import Ref, dig, ref_of, text
from vrooli.operators import VSO


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each destination that does not exist and that the operator may not create."""
    for body in evidence.all("VaultStaticSecret"):
        ref, name = ref_of(body), text(body, "spec", "destination", "name")
        secret = Ref("Secret", name, ref.namespace)
        if dig(body, "spec", "destination", "create") is True or not evidence.is_readable("Secret"):
            continue
        if name and evidence.get(secret) is None:
            pattern = f"{re.escape(name)}.* does not exist"
            log = list(recent_lines(evidence, pattern, VSO.namespace))
            yield Symptom(
                resource=ref,
                message=f"destination secret {name} does not exist, and create=false: nothing is "
                "synced, and often only the operator's log shows it.",
                remediation="Create the Secret, or let the operator create it "
                "(destination.create).",
                command=restore_field_command(evidence, ref, "spec", "destination")
                or patch(ref, True, "spec", "destination", "create"),
                evidence=(*last_events(evidence, ref, vso.SYNC_EVENT, most=1), *quoted(log, 1)),
            )


RULE = Rule(
    rule_id="vso-destination-missing",
    title="no Secret and no event: destination.create is false and the Secret is missing",
    find=find,
    link="https://developer.hashicorp.com/vault/docs/deploy/kubernetes/vso/api-reference"
    "#destination",
)
