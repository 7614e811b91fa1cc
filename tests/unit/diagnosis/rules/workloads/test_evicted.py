"""The rule evicted."""

from __future__ import annotations

from support.diagnosis.evidence import evidence, found, pod_of
from support.objects.workloads import POD, SERVER, the_one
from vrooli.diagnosis.rules.workloads import evicted


def test_pods_that_nodes_put_out_are_told_and_deleted() -> None:
    gone = pod_of(SERVER, phase="Failed", ready=False)
    gone["status"] |= {"reason": "Evicted", "message": "The node was low on resource: memory."}
    gone["status"]["containerStatuses"] = []
    finding = the_one(evidence(gone))
    assert "low on resource: memory" in finding.message
    assert finding.command == f"kubectl delete pod {POD.name} -n dev"
    assert not found(evicted.RULE, evidence(pod_of(SERVER)))
