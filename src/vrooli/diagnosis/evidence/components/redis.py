"""The pods of each RedisFailover and their state. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vrooli import shell
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.diagnosis.evidence.probes import redis_info
from vrooli.diagnosis.evidence.workloads import is_older, started_at
from vrooli.kube.objects import Body, Ref, labels, number, ref_of, text
from vrooli.operators.redis.names import COMPONENT_LABEL, FAILOVER_LABEL, ROLE_LABEL

# The operator reconciles every 30 seconds; a state that is older than this is permanent.
SETTLED_S = 120.0
PORT = 6379
LOCAL = "127.0.0.1"
_MASTER = re.compile(r"address=([0-9a-f.:]+):(\d+)")
_SENTINELS = re.compile(r"sentinels=(\d+)")


@dataclass(frozen=True)
class Reply:
    """The state that a Redis or Sentinel reports.

    Attributes:
        pod: Its pod.
        text: Its response to INFO, or the error.
        answered: Whether the probe ran.
    """

    pod: Body
    text: str
    answered: bool

    @property
    def ref(self) -> Ref:
        """Its pod."""
        return ref_of(self.pod)

    @property
    def address(self) -> str:
        """Its pod's address."""
        return text(self.pod, "status", "podIP")

    @property
    def facts(self) -> Mapping[str, str]:
        """The fields of its response, by name."""
        pairs = (line.strip().partition(":") for line in self.text.splitlines())
        return {name: value for name, _, value in pairs if name}

    @property
    def is_master(self) -> bool:
        """Whether its role is master."""
        return self.facts.get("role") == "master"

    @property
    def is_labelled_master(self) -> bool:
        """Whether the operator has labelled it as the master."""
        return text(labels(self.pod), ROLE_LABEL) == "master"

    @property
    def monitors(self) -> str:
        """The master's address that a Sentinel monitors; empty if unknown."""
        match = _MASTER.search(self.text)
        return match[1] if match else ""

    @property
    def sentinels(self) -> int:
        """The number of Sentinels that a Sentinel lists, including itself."""
        match = _SENTINELS.search(self.text)
        return int(match[1]) if match else 0


def failovers(evidence: Evidence) -> Iterator[tuple[Ref, Body]]:
    """The release's failovers."""
    return ((ref_of(body), body) for body in evidence.all("RedisFailover"))


def pods(evidence: Evidence, failover: Ref, part: str) -> list[Body]:
    """The pods of one kind of a failover: redis or sentinel."""
    return evidence.pods({FAILOVER_LABEL: failover.name, COMPONENT_LABEL: part}, failover.namespace)


def replies(evidence: Evidence, failover: Ref, part: str) -> list[Reply]:
    """The replies of a failover's probed pods."""
    replies = []
    for pod in pods(evidence, failover, part):
        answer = evidence.answer(redis_info.NAME, ref_of(pod))
        if answer is not None:
            replies.append(Reply(pod, answer.text, answer.ok))
    return replies


def desired_replicas(failover: Body, part: str) -> int:
    """The number of replicas of a kind that a failover requests."""
    return number(failover, "spec", part, "replicas", default=3)


def is_settled(evidence: Evidence, failover: Ref) -> bool:
    """Whether the operator has reconciled more than once since its pods were started."""
    all_pods = [*pods(evidence, failover, "redis"), *pods(evidence, failover, "sentinel")]
    return bool(all_pods) and all(
        is_older(evidence, started_at(pod), SETTLED_S) for pod in all_pods
    )


def run(pod: Ref, container: str, command: str) -> str:
    """The command that runs redis-cli in a pod, with the password from the pod itself."""
    inner = f'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli {command}'
    return (
        f"kubectl exec {shell.name(pod.name)} -n {shell.label(pod.namespace)} -c "
        f"{shell.label(container)} -- sh -c '{inner}'"
    )
