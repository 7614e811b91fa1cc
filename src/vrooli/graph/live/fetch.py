"""Reads a cluster through its API: concurrently, with a timeout for each request, read-only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from vrooli.chart.manifest import Manifest
from vrooli.errors import VrooliError
from vrooli.graph.live import proc_net
from vrooli.graph.live import vault as live_vault
from vrooli.graph.live.proc_net import Socket
from vrooli.graph.live.snapshot import GraphSnapshot
from vrooli.graph.model import Diagram
from vrooli.graph.relations import ConnectsTo, Endpoint, QueriesVault, RoutesTo
from vrooli.kube import Kube, RequestBudget, gather_limited, objects
from vrooli.kube import fetch as kube_fetch
from vrooli.kube.budget import ATTEMPT_S
from vrooli.kube.fetch import Query
from vrooli.kube.objects import Body
from vrooli.kube.status import is_pod_ready
from vrooli.kube.unavailable import Cause, Unavailable
from vrooli.operators import VSO

# Timeouts of one list request and of one command in a pod, seconds.
LIST_TIMEOUT_S, EXEC_TIMEOUT_S = 5.0, 10.0
# Pods inspected per endpoint: a sample, to limit the requests in a large cluster.
PODS_PER_ENDPOINT = 3
PROC_NET_FILES = ("/proc/net/tcp", "/proc/net/tcp6")
# Kinds that are read for every release, in addition to those of its manifests.
KINDS = (
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "Event"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("apps/v1", "Deployment"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
)
CHART_KINDS = ("Ingress", "PostgresCluster", "RedisFailover", "VaultStaticSecret", "VaultAuth")
RELEASE_KINDS = (*CHART_KINDS, "HTTPRoute", "VaultConnection")
# Only the names of these are read, never their contents.
NAMES_ONLY = ("Secret", "ConfigMap")


def _query(api_version: str, kind: str, namespace: str) -> Query:
    return Query(api_version, kind, namespace, names_only=kind in NAMES_ONLY)


def required_resources(
    manifests: Iterable[Manifest], diagrams: Iterable[Diagram], namespace: str
) -> tuple[Query, ...]:
    """The resources that must be read to evaluate the arrows."""
    kinds = [*KINDS, *((m.api_version, m.kind) for m in manifests if m.kind in RELEASE_KINDS)]
    queries = [_query(version, kind, namespace) for version, kind in kinds]
    queries.append(_query("networking.k8s.io/v1", "IngressClass", ""))
    for relation in (
        relation for item in diagrams for arrow in item.arrows for relation in arrow.relations
    ):
        if isinstance(relation, RoutesTo):
            queries += [_query("v1", "Pod", name) for name in relation.namespaces]
        elif isinstance(relation, QueriesVault):
            queries.append(_query("v1", "Pod", VSO.namespace))
            queries.append(Query("v1", "Pod", labels=VSO.selector))
            if target := live_vault.parse_vault_address(relation.address):
                queries += [_query("v1", kind, target.namespace) for kind in ("Pod", "Service")]
                queries.append(_query("discovery.k8s.io/v1", "EndpointSlice", target.namespace))
    return tuple(dict.fromkeys(queries))


async def fetch_snapshot(
    kube: Kube, diagrams: Sequence[Diagram], queries: Sequence[Query], budget: RequestBudget
) -> GraphSnapshot:
    """Read all resources once."""
    snapshot = await kube_fetch.fetch_snapshot(
        queries[0].namespace, queries, partial(fetch_list, kube, budget=budget)
    )
    pods = pods_to_inspect(GraphSnapshot.build(snapshot), diagrams)
    return GraphSnapshot.build(snapshot, *await fetch_sockets(kube, pods))


async def fetch_list(
    kube: Kube, query: Query, budget: RequestBudget | None = None
) -> Sequence[Body] | Unavailable:
    """The objects of one query, or why they can't be listed; a kind that isn't served has none.

    Without budget one try of a few seconds has to do: whoever follows a cluster asks again.
    """
    what = f"{query.kind} in {query.namespace or 'the cluster'}"

    async def fetch(_: float) -> Sequence[Body]:
        return await kube.list(
            query.api_version,
            query.kind,
            query.namespace or None,
            query.labels,
            names_only=query.names_only,
        )

    limit_s = ATTEMPT_S if budget else LIST_TIMEOUT_S
    try:
        return await (budget or RequestBudget(LIST_TIMEOUT_S)).run(what, fetch, limit_s=limit_s)
    except VrooliError as error:
        missing = Unavailable.of(what, error, query.place)
        if missing.cause is Cause.NOT_FOUND:
            return ()
        if missing.cause is Cause.FORBIDDEN and query.labels:
            return ()  # the operator's usual namespace is read, too
        if missing.cause is Cause.FORBIDDEN:
            return replace(missing, reason="no permission to list it")
        return missing


def pods_to_inspect(snapshot: GraphSnapshot, diagrams: Iterable[Diagram]) -> list[Body]:
    """The pods whose connections are read, a sample for each endpoint."""
    pods: dict[tuple[str, str], Body] = {}
    for endpoint in _pod_endpoints(diagrams, snapshot):
        running = [pod for pod in snapshot.endpoint_pods(endpoint) if _is_running(pod)]
        # Ready pods first: they carry the traffic.
        running.sort(key=lambda pod: (not is_pod_ready(pod), objects.name(pod)))
        pods.update({_pod_key(pod): pod for pod in running[:PODS_PER_ENDPOINT]})
    return list(pods.values())


def _pod_endpoints(diagrams: Iterable[Diagram], snapshot: GraphSnapshot) -> list[Endpoint]:
    endpoints: dict[Endpoint, None] = {}
    for relation in (
        relation for item in diagrams for arrow in item.arrows for relation in arrow.relations
    ):
        if isinstance(relation, ConnectsTo):
            endpoints |= {relation.source: None, relation.target: None}
        elif isinstance(relation, RoutesTo):
            endpoints |= dict.fromkeys(relation.targets)
        elif isinstance(relation, QueriesVault) and (
            vault := live_vault.find_vault_endpoint(relation.address, snapshot)
        ):
            endpoints[vault] = None
    return [endpoint for endpoint in endpoints if not endpoint.host]


def _is_running(pod: Body) -> bool:
    return objects.text(pod, "status", "phase") == "Running"


def _pod_key(pod: Body) -> tuple[str, str]:
    return objects.text(pod, "metadata", "namespace"), objects.name(pod)


async def fetch_sockets(
    kube: Kube, pods: Iterable[Body]
) -> tuple[dict[tuple[str, str], tuple[Socket, ...]], dict[tuple[str, str], str]]:
    """The connections of each pod, and the errors of pods that could not be inspected."""
    sockets: dict[tuple[str, str], tuple[Socket, ...]] = {}
    errors: dict[tuple[str, str], str] = {}

    async def fetch_one(pod: Body) -> None:
        key = _pod_key(pod)
        try:
            sockets[key] = await _fetch_pod_sockets(kube, *key)
        except TimeoutError:
            errors[key] = f"no response within {EXEC_TIMEOUT_S:.0f} s"
        except VrooliError as error:
            errors[key] = _format_exec_error(error)

    await gather_limited(fetch_one, pods)
    return sockets, errors


async def _fetch_pod_sockets(kube: Kube, namespace: str, pod: str) -> tuple[Socket, ...]:
    async with asyncio.timeout(EXEC_TIMEOUT_S):
        try:
            text = await kube.exec(namespace, pod, ("cat", *PROC_NET_FILES))
        except VrooliError as error:
            # A kernel without IPv6 has no second file.
            if PROC_NET_FILES[1] not in str(error.message) and "exit code 1" not in str(
                error.message
            ):
                raise
            text = await kube.exec(namespace, pod, ("cat", PROC_NET_FILES[0]))
    return proc_net.parse(text)


def _format_exec_error(error: VrooliError) -> str:
    """The error of a command in a pod, in one line."""
    text = " ".join(error.message.split())
    if "403" in text or "forbidden" in text.lower():
        return "no permission to exec into the pods"
    if "not found" in text or "no such file" in text:
        return "the image has no cat"
    return text
