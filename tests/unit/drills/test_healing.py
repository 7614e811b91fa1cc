"""Whether a diagnosis names a fault, and what is shown of it."""

from __future__ import annotations

import pytest

from vrooli.diagnosis.interface import Cause, Diagnosis
from vrooli.drills import healing
from vrooli.findings import Finding
from vrooli.kube.objects import Ref
from vrooli.kube.unavailable import Unavailable

POD = Ref("Pod", "jobs-a", "dev")
CLUSTER = Finding("postgres-no-leader", "PostgresCluster/vrooli-pg", "there is no ready leader")
PROBE = Finding("probe-failing", "Deployment/jobs", "its probe fails")
STARTING = Unavailable(
    "PostgresCluster/vrooli-pg in namespace dev",
    "it is not ready yet: 0 of 1 instances are ready",
    place=("not-ready", "PostgresCluster/vrooli-pg"),
)
UNREAD = Unavailable("Pods in dev", "permission denied", place=("Pod", "dev"))


@pytest.mark.parametrize(
    ("diagnosis", "is_named"),
    [
        (Diagnosis((Cause(CLUSTER, POD),), ()), True),
        (Diagnosis((Cause(PROBE, POD, (CLUSTER,)),), ()), True),
        (Diagnosis((Cause(PROBE, POD),), ()), False),
        (Diagnosis((), (), (STARTING,)), True),
        (Diagnosis((), (), (UNREAD,)), False),
        (Diagnosis((), ()), False),
    ],
)
def test_a_fault_is_named_by_a_problem_or_by_what_is_not_ready_yet(
    diagnosis: Diagnosis, is_named: bool
) -> None:
    assert healing.is_named(diagnosis, ("vrooli-pg",)) is is_named


def test_what_is_not_ready_yet_is_shown_as_well() -> None:
    diagnosis = Diagnosis((Cause(CLUSTER, POD),), (), (STARTING,))
    assert healing.describe(diagnosis) == (
        "PostgresCluster/vrooli-pg: there is no ready leader (postgres-no-leader)",
        "PostgresCluster/vrooli-pg in namespace dev: it is not ready yet: 0 of 1 instances are "
        "ready",
    )
