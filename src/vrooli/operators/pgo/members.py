"""The members of Patroni, as each describes itself in an annotation of its pod.

No I/O here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from vrooli.kube.objects import MALFORMED_ERRORS, Body, annotations_of, labels, name, text
from vrooli.operators.pgo import names

# The annotation of Patroni for Kubernetes (patroni/dcs/kubernetes.py).
ANNOTATION = "status"


@dataclass(frozen=True)
class Diverged:
    """A replica that cannot follow: its data are of another timeline than those of the leader.

    Attributes:
        pod: Its pod.
        timeline: Its timeline.
        leader: The pod of the leader.
        leader_timeline: The timeline of the leader.
    """

    pod: Body
    timeline: int
    leader: Body
    leader_timeline: int

    def __str__(self) -> str:
        """Why it does not follow, in words."""
        return (
            f"replica {name(self.pod)} does not follow the leader: it is on timeline "
            f"{self.timeline}, the leader on {self.leader_timeline}"
        )


def diverged(pods: Iterable[Body]) -> list[Diverged]:
    """The replicas of another timeline than the leader, as they were some seconds ago at most.

    After a switchover, replicas are for the seconds until Patroni has checked them.
    """
    members = [(pod, _timeline(pod)) for pod in pods]
    leaders = [
        (pod, timeline)
        for pod, timeline in members
        if timeline and text(labels(pod), names.ROLE_LABEL) in names.LEADER_ROLES
    ]
    if len(leaders) != 1:
        return []
    ((leader, newest),) = leaders
    return [
        Diverged(pod, timeline, leader, newest)
        for pod, timeline in members
        if timeline and timeline != newest
    ]


def _timeline(pod: Body) -> int:
    """The timeline of a member whose PostgreSQL runs; 0 if it is not known."""
    try:
        status = json.loads(annotations_of(pod).get(ANNOTATION, ""))
        return int(status["timeline"]) if status["state"] == "running" else 0
    except MALFORMED_ERRORS:
        return 0
