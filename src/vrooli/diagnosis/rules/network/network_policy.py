"""A NetworkPolicy blocks a connection that the architecture needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from vrooli.diagnosis.evidence.connectivity import connections, from_controllers
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import connect
from vrooli.diagnosis.evidence.workloads import deployed_field
from vrooli.diagnosis.interface import Rule, Symptom
from vrooli.diagnosis.remedies.kubectl import restore_field_command
from vrooli.kube.network_policies import Connection, find_denying
from vrooli.kube.objects import Body, Ref, mapping, ref_of


@dataclass
class _Closed:
    """The connections that one policy blocks, and the other namespaces from which some come."""

    policy: Body
    lines: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    is_confirmed: bool = False
    sources: list[Ref] = field(default_factory=list)


def find(evidence: Evidence) -> Iterator[Symptom]:
    """Yield each policy with the required connections that it blocks."""
    closed: dict[Ref, _Closed] = {}
    for (source, target, connection), policies in _blocked(evidence):
        answer = evidence.answer(connect.NAME, connect.about(connection))
        if answer is not None and answer.ok and answer.text == connect.OPEN:
            continue
        policy = _pick_policy(evidence, policies)
        entry = closed.setdefault(ref_of(policy), _Closed(policy))
        is_confirmed = answer is not None and answer.ok
        verdict = f": {connect.REFUSED}" if is_confirmed else " (not tested)"
        entry.is_confirmed |= is_confirmed
        entry.lines.append(
            f"{source.name} to {target.name}, {connection.protocol} port {connection.port}{verdict}"
        )
        entry.sources.append(source)
        if source.namespace != evidence.namespace:
            entry.outside.append(source.namespace)
    for ref, entry in closed.items():
        remediation, command = _remedy(evidence, ref, entry)
        yield Symptom(
            resource=ref,
            # The cluster's network may not enforce policies.
            message=f"it {'blocks' if entry.is_confirmed else 'may block'} connections that the "
            f"architecture needs: {'; '.join(entry.lines)}",
            remediation=remediation,
            command=command,
            evidence=(*entry.lines, _selector(entry.policy)),
            affects=tuple(dict.fromkeys(entry.sources)),
        )


def _blocked(evidence: Evidence) -> Iterator[tuple[tuple[Ref, Ref, Connection], list[Body]]]:
    """The connections with the policies that deny them; of controllers, if all are denied."""
    needed = [*([arrow] for arrow in connections(evidence)), *from_controllers(evidence)]
    policies = evidence.all("NetworkPolicy")
    for arrows in needed:
        denying = [find_denying(policies, connection) for _, _, connection in arrows]
        if all(denying):
            yield from zip(arrows, denying, strict=True)


def _remedy(evidence: Evidence, ref: Ref, entry: _Closed) -> tuple[str, str]:
    """What to do about a policy, and the command that does it or shows it."""
    is_own = deployed_field(evidence, ref) is not None
    if restore := restore_field_command(evidence, ref, "spec"):
        return "Restore the version of the release.", restore
    if is_own and entry.outside:
        namespace = entry.outside[0]
        remediation = (
            f"Deploy with networkPolicies.ingressNamespace={namespace}, or with gatewayNamespace "
            "for a Gateway: the policies of the release allow another namespace."
        )
        return remediation, f"kubectl describe {ref.words}"
    if is_own:
        return "Restore the version of the release.", f"kubectl delete {ref.words}"
    return "Delete it, or allow these connections in it.", f"kubectl delete {ref.words}"


def _pick_policy(evidence: Evidence, policies: list[Body]) -> Body:
    """Of the policies that block a connection together: one that differs from the release's."""
    for policy in policies:
        spec = deployed_field(evidence, ref_of(policy), "spec")
        if spec is None or restore_field_command(evidence, ref_of(policy), "spec"):
            return policy
    return policies[0]


def _selector(policy: Body) -> str:
    selector = json.dumps(mapping(policy, "spec", "podSelector"))
    return f"{ref_of(policy)} selects {selector}"


RULE = Rule(
    rule_id="network-policy-refuses",
    title="timeout between services: a NetworkPolicy blocks a required connection",
    find=find,
    link="https://kubernetes.io/docs/concepts/services-networking/network-policies/",
)
