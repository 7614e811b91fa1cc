"""The last lines of relevant logs: of unhealthy pods, databases and operators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

import httpx

from vrooli.diagnosis.evidence.collection import requirements
from vrooli.diagnosis.evidence.model import Evidence, LogSource
from vrooli.errors import VrooliError
from vrooli.kube import ApiError, Kube, Priority, RequestBudget, gather_limited
from vrooli.kube.objects import Body, Ref, items, labels, ref_of, text
from vrooli.kube.pods import LogRange
from vrooli.kube.status import is_pod_ready, pod_status
from vrooli.kube.unavailable import Unavailable
from vrooli.operators import OPERATORS
from vrooli.operators.catalog import databases

# Lines of each log.
LINES = 200
# The timeouts of a log and of an operator's log, seconds.
LOGS_S, OPERATOR_S = 5.0, 20.0
# The maximum number of logs: a few of thousands of unhealthy pods show the cause.
MOST = 80
# The maximum length of a line, characters.
WIDTH = 4000
# More unreadable logs with the same reason than this are counted, not listed.
NAMED = 3
# Namespaces of operators and Vault, whose logs are always read.
NAMESPACES = (*(operator.namespace for operator in OPERATORS), "vault")
# Labels of the databases' pods, which may have problems while they are ready.
DATA = tuple(resource.pod_label for resource in databases().values())


async def read(
    kube: Kube, evidence: Evidence, budget: RequestBudget
) -> tuple[Mapping[LogSource, Sequence[str]], list[Unavailable]]:
    """The relevant logs, and those that could not be read."""
    return await read_of(kube, list(_sources(evidence)), budget, most=MOST, tail=LINES)


async def read_all(
    kube: Kube, evidence: Evidence, budget: RequestBudget, *, most: int, tail: int
) -> tuple[Mapping[LogSource, Sequence[str]], list[Unavailable]]:
    """All logs, the most relevant first."""
    pods = [pod for bodies in (evidence.all("Pod"), evidence.all("Pod", "")) for pod in bodies]
    remaining = (source for pod in pods for source in _of_pod(pod))
    sources = list(dict.fromkeys([*_sources(evidence), *remaining]))
    return await read_of(kube, sources, budget, most=most, tail=tail)


async def read_of(
    kube: Kube, sources: Sequence[LogSource], budget: RequestBudget, *, most: int, tail: int
) -> tuple[Mapping[LogSource, Sequence[str]], list[Unavailable]]:
    """The last lines of some logs, up to a maximum number, and those that could not be read."""
    logs: dict[LogSource, Sequence[str]] = {}
    unavailable: list[Unavailable] = []
    if (surplus := len(sources) - most) > 0:
        unavailable.append(Unavailable(f"{surplus} more logs", f"only {most} are read"))

    async def one(source: LogSource) -> None:
        async def lines(_: float) -> list[str]:
            stream = kube.logs(
                source.namespace,
                source.pod,
                source.container,
                part=LogRange(tail=tail),
                previous=source.previous,
            )
            return [line[:WIDTH] async for line in stream]

        what = f"log of {source}"
        is_operator = source.namespace in NAMESPACES
        try:
            logs[source] = await budget.run(
                what,
                lines,
                priority=Priority.REQUIRED if is_operator else Priority.OPTIONAL,
                limit_s=OPERATOR_S if is_operator else LOGS_S,
            )
        except VrooliError as error:
            # The log of a container that was just deleted is not needed.
            is_deleted = isinstance(error, ApiError) and error.status == httpx.codes.NOT_FOUND
            place = ("", "") if is_deleted else (requirements.LOG, source.namespace)
            unavailable.append(Unavailable.of(what, error, place))

    await gather_limited(one, sources[:most])
    return logs, counted(unavailable)


def counted(unavailable: Sequence[Unavailable]) -> list[Unavailable]:
    """Group unreadable logs with the same reason."""
    reasons: dict[tuple[str, tuple[str, str]], list[Unavailable]] = {}
    for item in unavailable:
        pod = item.resource.removeprefix("log of ").partition("/")[0]
        reasons.setdefault((item.reason.replace(pod, "…"), item.place), []).append(item)
    summaries: list[Unavailable] = []
    for (why, _), similar in reasons.items():
        what = f"{len(similar)} logs, such as the {similar[0].resource}"
        summaries += (
            [replace(similar[0], resource=what, reason=why)] if len(similar) > NAMED else similar
        )
    return summaries


def _sources(evidence: Evidence) -> Iterator[LogSource]:
    """The sources of the logs, the most relevant first."""
    operators = [pod for namespace in NAMESPACES for pod in evidence.all("Pod", namespace)]
    own = evidence.all("Pod")
    ailing, data, others = [], [], []
    for pod in own:
        if not is_pod_ready(pod) and not _is_done(pod):
            ailing.append(pod)
        elif any(name in labels(pod) for name in DATA):
            data.append(pod)
        elif _restarted(pod):
            others.append(pod)
    for pod in (*operators, *_in_turn(evidence, ailing), *data, *others):
        yield from _of_pod(pod)


def _in_turn(evidence: Evidence, pods: Sequence[Body]) -> Iterator[Body]:
    """Interleave the pods of the workloads, so that no workload hides another."""
    by_owner: dict[Ref, list[Body]] = {}
    for pod in pods:
        by_owner.setdefault(evidence.owner(pod), []).append(pod)
    for turn in zip_longest(*by_owner.values()):
        yield from (pod for pod in turn if pod is not None)


def _of_pod(pod: Body) -> Iterator[LogSource]:
    ref = ref_of(pod)
    for item in pod_status(pod).containers:
        if item.is_running or item.terminated is not None:
            yield LogSource(ref.namespace, ref.name, item.name)
        if item.last_terminated is not None:
            yield LogSource(ref.namespace, ref.name, item.name, previous=True)


def _restarted(pod: Body) -> bool:
    return any(item.restarts for item in pod_status(pod).containers)


def _is_done(pod: Body) -> bool:
    return text(pod, "status", "phase") == "Succeeded" or not items(pod, "spec", "containers")
