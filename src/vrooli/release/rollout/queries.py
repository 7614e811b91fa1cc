"""Which objects tell whether a release is ready, and without which of them it can be judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from vrooli.chart.manifest import Manifest
from vrooli.kube import ApiError, Kube
from vrooli.kube import fetch as kube_fetch
from vrooli.kube.fetch import Query
from vrooli.kube.objects import Body
from vrooli.kube.snapshot import Snapshot
from vrooli.kube.unavailable import Unavailable
from vrooli.release.rollout import autoscaling

Kind = tuple[str, str]
# What tells why others aren't ready. Who may not look at them is told less.
PODS: Kind = ("v1", "Pod")
EVENT: Kind = ("v1", "Event")
EVIDENCE: tuple[Kind, ...] = (("apps/v1", "ReplicaSet"), ("batch/v1", "Job"), EVENT)
# What the databases' operators make, which tells what became of a change. Who may not look at it
# can't know that all is well.
DATABASES = ("PostgresCluster", "RedisFailover")
OPERATED: tuple[Kind, ...] = (("apps/v1", "StatefulSet"), ("v1", "PersistentVolumeClaim"))
# Of thousands of events only these are told: what the probes said, whose pods the API server
# refuses, what PGO warns of, what Vault refuses, and for which pods a node is being made.
PROBES = "reason=Unhealthy"
CREATION = "reason=FailedCreate"
WARNINGS = "involvedObject.kind=PostgresCluster,type=Warning"
VAULTS = "VaultStaticSecret"
SCALING = tuple(f"source={name}" for name in autoscaling.AUTOSCALERS)
REFUSED = f"involvedObject.kind={VAULTS},type=Warning"


def kinds(manifests: Iterable[Manifest]) -> list[Kind]:
    """The kinds to look at, each once; pods and what operators make are the evidence for others."""
    own = [(item.api_version, item.kind) for item in manifests]
    operated = OPERATED if any(kind in DATABASES for _, kind in own) else ()
    return list(dict.fromkeys([PODS, *own, *operated]))


def selectors(kinds: Iterable[Kind]) -> list[str]:
    """The events that tell something about objects of these kinds, by field selectors."""
    names = {name for _, name in kinds}
    return [
        PROBES,
        CREATION,
        *SCALING,
        *([WARNINGS] if "PostgresCluster" in names else []),
        *([REFUSED] if VAULTS in names else []),
    ]


def queries(kinds: Iterable[Kind], namespace: str) -> list[Query]:
    """What is read of a namespace for these kinds: of Events only what tells something of them."""
    listed = list(dict.fromkeys(kinds))
    return [
        Query(*kind, namespace, fields)
        for kind in listed
        for fields in (selectors(listed) if kind == EVENT else [None])
    ]


async def fetch(kube: Kube, query: Query) -> Sequence[Body] | Unavailable:
    """The objects of a query; none, or why there are none, where the rest can do without.

    Raises:
        ApiError: They can't be listed, and nothing can be judged without them.
    """
    try:
        return await kube.list(query.api_version, query.kind, query.namespace, fields=query.fields)
    except ApiError as error:
        if not is_optional(query, error):
            raise
        if (query.api_version, query.kind) not in OPERATED:
            return ()
        return Unavailable.of(f"{query.kind} in {query.namespace}", error, query.place)


async def fetch_snapshot(kube: Kube, namespace: str, kinds: Iterable[Kind]) -> Snapshot:
    """A namespace's objects of some kinds as they are now, each kind listed once."""
    return await kube_fetch.fetch_snapshot(
        namespace, queries(kinds, namespace), partial(fetch, kube)
    )


def is_optional(query: Query, error: ApiError) -> bool:
    """Whether the rest can be judged without a query that is refused."""
    kind = (query.api_version, query.kind)
    return error.is_forbidden and kind in (*EVIDENCE, *OPERATED)


async def fetch_release_snapshot(kube: Kube, manifests: Sequence[Manifest]) -> Snapshot:
    """Fetch the objects of the manifests' kinds, and what explains their state."""
    requested = [*kinds(manifests), EVENT]
    return await fetch_snapshot(kube, manifests[0].namespace, requested)
