"""NetworkPolicies at work: every pair with an arrow connects, every other is refused.

Each pod of the release tries every port of every other one, at its address. For what has no pod
here, or none with a shell in it, a pod with the same labels in the same namespace stands in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from support.chart.architecture import ARROWS, CLUSTER, COMPONENT, PAIRS, PEERS, PORTS, ROLE, UPKEEP
from support.cluster import workload
from support.cluster.live import Live
from vrooli.kube import Kube, Manifest

pytestmark = [pytest.mark.anyio, pytest.mark.root]

Pair = tuple[str, str, int]
INSTANCE = "app.kubernetes.io/instance"
POSTGRES = f"{CLUSTER}=vrooli-pg"
# The pods of the release, each by its labels.
PODS = {
    **{
        name: f"{INSTANCE}=vrooli-dev,{COMPONENT}={name}"
        for name in ("ui", "server", "jobs", "nsfw-detector", "adminer")
    },
    "pool": f"{POSTGRES},{ROLE}=pgbouncer",
    "primary": f"{POSTGRES},{ROLE}=master",
    "backups": f"{POSTGRES},postgres-operator.crunchydata.com/pgbackrest-dedicated",
    "redis": f"app.kubernetes.io/name=vrooli-rf,{COMPONENT}=redis",
    "sentinel": f"app.kubernetes.io/name=vrooli-rf,{COMPONENT}=sentinel",
}
# pgBackRest 2.45 may fall over a connection that says nothing, and be started again.
CONTAINERS = {"backups": "pgbackrest-config"}
# Who is stood in for, and in which namespace; none is the release's.
STAND_INS = {
    **dict.fromkeys(("test", "stranger", "other release")),
    "ingress": "kube-system",
    "redis-operator": "redis-operator",
    "prometheus": "monitoring",
    "far stranger": "elsewhere",
}
OWN_NAMESPACES = ("monitoring", "elsewhere")
# What listens in this release: it has no exporters, one PostgreSQL, and the API behind a Service.
SILENT = {*((name, port) for name in PORTS for port in (9187, 9121, 9355)), ("api", 443)}
TRIED = [
    (source, target, port)
    for source, target, port in PAIRS
    if source in {*PODS, *STAND_INS}
    and target in {*PODS, *STAND_INS, "dns", "api"}
    and source != target
    and (target, port) not in SILENT
]
# Its Ingress leads to Adminer, too.
ALLOWED = {pair for pair in TRIED if pair in ARROWS | UPKEEP} | {("ingress", "adminer", 8080)}
# One process tries them all; who may not connect hears of it at once.
TRY = (
    "use IO::Socket::INET; for (@ARGV) "
    "{ print qq($_\\n) if IO::Socket::INET->new(PeerAddr => $_, Timeout => 2) }"
)
LINK_ADDRESS = (
    "grep eth0 /proc/net/if_inet6 | cut -c 1-32 | sed 's/..../&:/g; s/:$//' | tr -d '\\n'"
)
# New pods are free until their rules are there, which takes a moment; on a busy machine a few.
SETTLED_S = 180.0
# How long a pod may take to be there, and to go, on a busy machine, seconds.
STARTED_S, GONE_S = 180.0, 180.0


def sentence(pair: Pair) -> str:
    """The pair as a test's id."""
    return f"{pair[0]} to {pair[1]} {pair[2]}"


@dataclass(frozen=True)
class Place:
    """Where a pod is, and where it listens."""

    namespace: str
    pod: str
    address: str


async def _found(kube: Kube, namespace: str, labels: str) -> Place:
    pods = await kube.list("v1", "Pod", namespace, labels)
    (pod,) = (item for item in pods if "deletionTimestamp" not in item["metadata"])
    return Place(namespace, pod["metadata"]["name"], pod["status"]["podIP"])


def _stand_in(name: str, home: str) -> Manifest:
    """A pod with somebody's labels, which listens on port 8080."""
    labels = dict(PEERS[name].labels)
    if labels.get(INSTANCE) == "demo":
        labels[INSTANCE] = "vrooli-dev"
    pod = workload.pod(f"policies-{name.replace(' ', '-')}")
    pod["metadata"] |= {"namespace": STAND_INS[name] or home, "labels": labels}
    # All of them fit beside the release, and none is slowed down.
    pod["spec"]["containers"][0]["resources"] = {
        "requests": {"cpu": "1m", "memory": "8Mi"},
        "limits": {"memory": "64Mi"},
    }
    return pod


async def _started(kube: Kube, pod: Manifest) -> Place:
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    await kube.apply(pod)
    ready = await workload.wait_for_pod(kube, name, STARTED_S, namespace=namespace)
    return Place(namespace, name, ready["status"]["podIP"])


async def _gone(kube: Kube, pod: Manifest) -> None:
    """Others look for pods by the labels that these have, too."""
    place = ("v1", "Pod", pod["metadata"]["name"], pod["metadata"]["namespace"])
    await kube.delete(*place)
    await kube.wait_for(*place, lambda found: "it is still there" if found else None, GONE_S)


@asynccontextmanager
async def _standing_in(kube: Kube, home: str) -> AsyncIterator[dict[str, Place]]:
    """The stand-ins, for as long as they are needed."""
    pods = {name: _stand_in(name, home) for name in STAND_INS}
    try:
        for name in OWN_NAMESPACES:
            await kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        made = await asyncio.gather(*(_started(kube, pod) for pod in pods.values()))
        yield dict(zip(pods, made, strict=True))
    finally:
        await asyncio.gather(*(_gone(kube, pod) for pod in pods.values()))
        for name in OWN_NAMESPACES:
            await kube.delete("v1", "Namespace", name)


@pytest.fixture(scope="module")
async def places(live: Live) -> AsyncIterator[dict[str, Place]]:
    """Where everyone is."""
    home = live.environment.namespace
    async with (
        await Kube.connect(live.kubeconfig) as kube,
        _standing_in(kube, home) as stand_ins,
    ):
        node = (await kube.list("v1", "Node"))[0]["status"]["addresses"][0]["address"]
        yield {
            **{name: await _found(kube, home, labels) for name, labels in PODS.items()},
            **stand_ins,
            "dns": await _found(kube, "kube-system", "k8s-app=kube-dns"),
            "api": Place("", "", node),
        }


async def _opened(kube: Kube, places: dict[str, Place], source: str) -> set[Pair]:
    """The connections that a pod gets."""
    tried = {
        f"{places[target].address}:{port}": (source, target, port)
        for name, target, port in TRIED
        if name == source
    }
    place = places[source]
    argv = ["perl", "-e", TRY, *tried]
    said = await kube.exec(place.namespace, place.pod, argv, CONTAINERS.get(source))
    return {tried[line] for line in said.split()}


@pytest.fixture(scope="module")
async def opened(live: Live, places: dict[str, Place]) -> set[Pair]:
    """Every connection that anyone gets, once the policies are in force."""
    deadline = time.monotonic() + SETTLED_S
    async with await Kube.connect(live.kubeconfig) as kube:
        while True:
            sources = {source for source, _, _ in TRIED}
            found = await asyncio.gather(*(_opened(kube, places, name) for name in sources))
            pairs: set[Pair] = set().union(*found)
            if pairs == ALLOWED or time.monotonic() > deadline:
                return pairs
            await asyncio.sleep(1)


@pytest.mark.parametrize("pair", sorted(ALLOWED), ids=sentence)
async def test_a_pair_with_an_arrow_connects(opened: set[Pair], pair: Pair) -> None:
    assert pair in opened


@pytest.mark.parametrize("pair", sorted(set(TRIED) - ALLOWED), ids=sentence)
async def test_a_pair_without_an_arrow_is_refused(opened: set[Pair], pair: Pair) -> None:
    assert pair not in opened


async def test_the_addresses_of_the_pods_link_are_no_way_round(
    live: Live, places: dict[str, Place]
) -> None:
    """The kernel gives each pod one of IPv6; Redis listens there, too."""
    redis, ui = places["redis"], places["ui"]
    async with await Kube.connect(live.kubeconfig) as kube:
        link = await kube.exec(redis.namespace, redis.pod, ["bash", "-c", LINK_ADDRESS])
        for place, limit_s, answer in ((redis, 20, "open\n"), (ui, 3, "")):
            call = f"timeout {limit_s} bash -c '</dev/tcp/{link}%eth0/6379' && echo open; true"
            said = await kube.exec(place.namespace, place.pod, ["bash", "-c", call])
            assert said == answer, place


def test_every_port_that_is_refused_to_someone_is_open_to_another() -> None:
    """Otherwise nobody might listen there, and being refused would show nothing."""
    assert {pair[1:] for pair in TRIED} == {pair[1:] for pair in ALLOWED} | {("stranger", 8080)}
