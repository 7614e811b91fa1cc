"""Looks at a cluster through its API: all at once, each look with a limit, nothing changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vrooli.chart.manifest import Manifest
from vrooli.errors import VrooliError
from vrooli.graph import reading
from vrooli.graph.live import proc_net
from vrooli.graph.live import vault as live_vault
from vrooli.graph.live.proc_net import Socket
from vrooli.graph.live.snapshot import Place, Sight
from vrooli.graph.model import Asks, Calls, Diagram, Party, Passes
from vrooli.graph.reading import Body
from vrooli.kube import Kube, Patience, each
from vrooli.kube.patience import TRY_S
from vrooli.kube.rest import ApiError
from vrooli.kube.status import is_pod_ready

# One list of objects, and one program in one pod, seconds.
LIST_S, ASK_S = 5.0, 10.0
# Pods of each party that are asked: enough to tell, bounded in a large cluster.
OF_EACH = 3
TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
NOT_FOUND = 404
# What every release is looked at for; the rest are the kinds of its own manifests.
KINDS = (
    ("v1", "Pod"),
    ("v1", "Service"),
    ("v1", "Event"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("apps/v1", "Deployment"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
)
OWN = ("Ingress", "PostgresCluster", "RedisFailover", "VaultStaticSecret", "VaultAuth")
OWN_KINDS = (*OWN, "VaultConnection")
# Their contents are nobody's business here: that they are there is.
NAMES_ONLY = ("Secret", "ConfigMap")


@dataclass(frozen=True)
class Wanted:
    """A kind that is looked at, and where; cluster-wide kinds have an empty namespace."""

    api_version: str
    kind: str
    namespace: str

    @property
    def place(self) -> Place:
        """What it is known by."""
        return self.kind, self.namespace

    @property
    def names_only(self) -> bool:
        """Whether only names are read."""
        return self.kind in NAMES_ONLY


@dataclass(frozen=True)
class Answer:
    """What a look at one kind gave: its objects by name, or why there are none."""

    objects: Mapping[str, Body]
    refused: str = ""


def wanted(
    manifests: Iterable[Manifest], diagrams: Iterable[Diagram], namespace: str
) -> tuple[Wanted, ...]:
    """What must be looked at to judge the arrows."""
    kinds = [*KINDS, *((m.api_version, m.kind) for m in manifests if m.kind in OWN_KINDS)]
    found = [Wanted(version, kind, namespace) for version, kind in kinds]
    found.append(Wanted("networking.k8s.io/v1", "IngressClass", ""))
    for way in (way for item in diagrams for arrow in item.arrows for way in arrow.ways):
        if isinstance(way, Passes):
            found += [Wanted("v1", "Pod", name) for name in way.namespaces]
        elif isinstance(way, Asks):
            found.append(Wanted("v1", "Pod", live_vault.OPERATOR))
            if target := live_vault.vault_at(way.address):
                found += [Wanted("v1", kind, target.namespace) for kind in ("Pod", "Service")]
                found.append(Wanted("discovery.k8s.io/v1", "EndpointSlice", target.namespace))
    return tuple(dict.fromkeys(found))


async def look(
    kube: Kube, diagrams: Sequence[Diagram], places: Sequence[Wanted], patience: Patience
) -> Sight:
    """All of it once, as it is now."""
    namespace = places[0].namespace
    answers = await asyncio.gather(*(read(kube, place, patience) for place in places))
    objects = {place.place: found.objects for place, found in zip(places, answers, strict=True)}
    refused = {
        place.place: found.refused
        for place, found in zip(places, answers, strict=True)
        if found.refused
    }
    seen = Sight(namespace, objects, refused)
    told, mute = await ask(kube, targets(seen, diagrams))
    return Sight(namespace, objects, refused, told, mute)


async def read(kube: Kube, place: Wanted, patience: Patience | None = None) -> Answer:
    """The objects of one kind; what can't be read is said.

    Without patience one try of a few seconds has to do: whoever follows a cluster asks again.
    """

    async def listed(_: float) -> Sequence[Body]:
        return await kube.list(
            place.api_version,
            place.kind,
            place.namespace or None,
            names_only=place.names_only,
        )

    limit_s = TRY_S if patience else LIST_S
    try:
        found = await (patience or Patience(LIST_S)).ask(
            f"{place.kind} in {place.namespace or 'the cluster'}", listed, limit_s=limit_s
        )
    except ApiError as error:
        return Answer({}, refusal(error))
    except VrooliError as error:
        return Answer({}, error.message)
    return Answer({reading.name_of(body): body for body in found})


def refusal(error: ApiError) -> str:
    """Why a kind couldn't be read; a cluster that doesn't know it has none of it."""
    if error.status == NOT_FOUND:
        return ""
    return "no right to list it" if error.is_forbidden else error.message


def targets(seen: Sight, diagrams: Iterable[Diagram]) -> list[Body]:
    """The pods whose connections tell of an arrow, a few of each party."""
    found: dict[tuple[str, str], Body] = {}
    for party in _parties(diagrams, seen):
        running = [pod for pod in seen.pods(party) if _runs(pod)]
        # Those that are ready carry the traffic.
        running.sort(key=lambda pod: (not is_pod_ready(pod), reading.name_of(pod)))
        found.update({_key(pod): pod for pod in running[:OF_EACH]})
    return list(found.values())


def _parties(diagrams: Iterable[Diagram], seen: Sight) -> list[Party]:
    found: dict[Party, None] = {}
    for way in (way for item in diagrams for arrow in item.arrows for way in arrow.ways):
        if isinstance(way, Calls):
            found |= {way.source: None, way.target: None}
        elif isinstance(way, Passes):
            found |= dict.fromkeys(way.targets)
        elif isinstance(way, Asks) and (vault := live_vault.vault_party(way.address, seen)):
            found[vault] = None
    return [party for party in found if not party.host]


def _runs(pod: Body) -> bool:
    return reading.text(pod, "status", "phase") == "Running"


def _key(pod: Body) -> tuple[str, str]:
    return reading.text(pod, "metadata", "namespace"), reading.name_of(pod)


async def ask(
    kube: Kube, pods: Iterable[Body]
) -> tuple[dict[tuple[str, str], tuple[Socket, ...]], dict[tuple[str, str], str]]:
    """The connections of each pod, and why those that are mute couldn't be asked."""
    told: dict[tuple[str, str], tuple[Socket, ...]] = {}
    mute: dict[tuple[str, str], str] = {}

    async def one(pod: Body) -> None:
        key = _key(pod)
        try:
            told[key] = await _connections(kube, *key)
        except TimeoutError:
            mute[key] = f"no answer within {ASK_S:.0f} s"
        except VrooliError as error:
            mute[key] = _said(error)

    await each(one, pods)
    return told, mute


async def _connections(kube: Kube, namespace: str, pod: str) -> tuple[Socket, ...]:
    async with asyncio.timeout(ASK_S):
        try:
            text = await kube.exec(namespace, pod, ("cat", *TABLES))
        except VrooliError as error:
            # A kernel without IPv6 has no second table.
            if TABLES[1] not in str(error.message) and "exit code 1" not in str(error.message):
                raise
            text = await kube.exec(namespace, pod, ("cat", TABLES[0]))
    return proc_net.parse(text)


def _said(error: VrooliError) -> str:
    """Why a pod couldn't be asked, in one line."""
    text = " ".join(error.message.split())
    if "403" in text or "forbidden" in text.lower():
        return "no right to run anything in the pods"
    if "not found" in text or "no such file" in text:
        return "the image has no cat"
    return text
