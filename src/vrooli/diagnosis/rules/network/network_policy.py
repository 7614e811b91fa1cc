"""A NetworkPolicy refuses an arrow of the architecture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from vrooli.diagnosis.evidence.connectivity import ways
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import connect
from vrooli.diagnosis.evidence.workloads import noted, restore
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.kube.network_policies import refusing
from vrooli.kube.objects import Body, Ref, mapping, ref_of


@dataclass
class _Closed:
    """What one policy closes."""

    policy: Body
    lines: list[str] = field(default_factory=list)
    was_tried: bool = False
    sources: list[Ref] = field(default_factory=list)


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Each policy with the arrows that it refuses."""
    closed: dict[Ref, _Closed] = {}
    for source, target, way in ways(evidence):
        policies = refusing(evidence.all("NetworkPolicy"), way)
        answer = evidence.answer(connect.NAME, connect.about(way))
        if not policies or (answer is not None and answer.ok and answer.text == connect.OPEN):
            continue
        policy = _blamed(evidence, policies)
        mine = closed.setdefault(ref_of(policy), _Closed(policy))
        was_tried = answer is not None and answer.ok
        tried = f": {connect.REFUSED}" if was_tried else " (not tried)"
        mine.was_tried |= was_tried
        mine.lines.append(f"{source.name} to {target.name}, {way.protocol} port {way.port}{tried}")
        mine.sources.append(source)
    for ref, mine in closed.items():
        is_own = noted(evidence, ref) is not None
        yield Symptom(
            resource=ref,
            # A cluster's network need not enforce policies.
            message=f"it {'refuses' if mine.was_tried else 'may refuse'} what the architecture "
            f"needs: {'; '.join(mine.lines)}",
            remediation="Put it back to what the release has noted."
            if is_own
            else "Delete it, or have it allow these connections.",
            command=restore(evidence, ref, "spec") or f"kubectl delete {ref.words}",
            evidence=(*mine.lines, _selector(mine.policy)),
            affects=tuple(dict.fromkeys(mine.sources)),
        )


def _blamed(evidence: Evidence, policies: list[Body]) -> Body:
    """Of the policies that close a way together: one that the release doesn't have so."""
    for policy in policies:
        spec = noted(evidence, ref_of(policy), "spec")
        if spec is None or restore(evidence, ref_of(policy), "spec"):
            return policy
    return policies[0]


def _selector(policy: Body) -> str:
    selector = json.dumps(mapping(policy, "spec", "podSelector"))
    return f"{ref_of(policy)} selects {selector}"


RULE = Rule(
    rule_id="network-policy-refuses",
    title="timeout between services: a NetworkPolicy refuses an arrow of the architecture",
    find=find,
    link="https://kubernetes.io/docs/concepts/services-networking/network-policies/",
)
