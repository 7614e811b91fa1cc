"""The objects that show whether a release is ready, and which of them are optional."""

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
# Objects that explain why others are not ready; optional.
PODS: Kind = ("v1", "Pod")
EVENT: Kind = ("v1", "Event")
EVIDENCE: tuple[Kind, ...] = (("apps/v1", "ReplicaSet"), ("batch/v1", "Job"), EVENT)
# Objects that the databases' operators make, which show the effect of a change. Without the
# permission to read them, the release's health is unknown.
DATABASES = ("PostgresCluster", "RedisFailover")
OPERATED: tuple[Kind, ...] = (("apps/v1", "StatefulSet"), ("v1", "PersistentVolumeClaim"))
# The only events that are read, of thousands: failed probes, refused pods, warnings of PGO,
# refusals of Vault, and nodes that autoscalers add.
PROBES = "reason=Unhealthy"
CREATION = "reason=FailedCreate"
WARNINGS = "involvedObject.kind=PostgresCluster,type=Warning"
VAULTS = "VaultStaticSecret"
SCALING = tuple(f"source={name}" for name in autoscaling.AUTOSCALERS)
REFUSED = f"involvedObject.kind={VAULTS},type=Warning"


def kinds(manifests: Iterable[Manifest]) -> list[Kind]:
    """The kinds to read, each once: the manifests' own, pods, and what operators make."""
    own = [(item.api_version, item.kind) for item in manifests]
    operated = OPERATED if any(kind in DATABASES for _, kind in own) else ()
    return list(dict.fromkeys([PODS, *own, *operated]))


def selectors(kinds: Iterable[Kind]) -> list[str]:
    """The field selectors of events about objects of these kinds."""
    names = {name for _, name in kinds}
    return [
        PROBES,
        CREATION,
        *SCALING,
        *([WARNINGS] if "PostgresCluster" in names else []),
        *([REFUSED] if VAULTS in names else []),
    ]


def queries(kinds: Iterable[Kind], namespace: str) -> list[Query]:
    """The queries of a namespace for these kinds, with only the relevant events."""
    listed = list(dict.fromkeys(kinds))
    return [
        Query(*kind, namespace, fields=fields)
        for kind in listed
        for fields in (selectors(listed) if kind == EVENT else [None])
    ]


async def fetch(kube: Kube, query: Query) -> Sequence[Body] | Unavailable:
    """Fetch the objects of a query; if it is optional, an error is returned instead.

    Raises:
        ApiError: A required query failed.
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
    """Fetch a namespace's objects of some kinds."""
    return await kube_fetch.fetch_snapshot(
        namespace, queries(kinds, namespace), partial(fetch, kube)
    )


def is_optional(query: Query, error: ApiError) -> bool:
    """Whether a refused query is optional."""
    kind = (query.api_version, query.kind)
    return error.is_forbidden and kind in (*EVIDENCE, *OPERATED)


async def fetch_release_snapshot(kube: Kube, manifests: Sequence[Manifest]) -> Snapshot:
    """Fetch the objects of the manifests' kinds, and what explains their state."""
    requested = [*kinds(manifests), EVENT]
    return await fetch_snapshot(kube, manifests[0].namespace, requested)
