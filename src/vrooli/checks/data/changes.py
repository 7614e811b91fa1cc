"""The operators can apply the changes of a release to its existing data."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from vrooli.chart.manifest import Manifest
from vrooli.checks import runner
from vrooli.checks.data import names, restore
from vrooli.checks.data import volumes as data_volumes
from vrooli.checks.data.live import NAME, Live
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.storage import classes as storage_classes
from vrooli.findings import Finding
from vrooli.kube import ApiError
from vrooli.operators import volumes
from vrooli.operators.catalog import databases
from vrooli.operators.pgo.names import CLUSTER_LABEL

KINDS = databases()
CLAIM = ("v1", volumes.KIND)


async def run(site: Site) -> CheckResult:
    """Compare the release's resources with the existing ones and their volumes."""
    kinds = [kind for kind in KINDS if site.of_kind(kind)]
    *resources, claims, pods, sets, revisions, classes = await asyncio.gather(
        *(site.objects(KINDS[kind].api_version, kind, site.namespace) for kind in kinds),
        site.objects(*CLAIM, site.namespace),
        site.objects("v1", "Pod", site.namespace, CLUSTER_LABEL),
        site.objects("apps/v1", "StatefulSet", site.namespace, CLUSTER_LABEL),
        _optional(site, "apps/v1", "ControllerRevision", site.namespace, CLUSTER_LABEL),
        _optional(site, *storage_classes.API),
    )
    by_name = None if classes is None else {item["metadata"]["name"]: item for item in classes}
    bodies = [body for bodies in resources for body in bodies]
    live = Live(bodies, claims, [*pods, *sets], by_name, revisions or ())
    return judge(site.manifests, live)


async def _optional(site: Site, *query: str) -> Any:
    """The objects of a query; None if they may not be read."""
    try:
        return await site.objects(*query)
    except ApiError as error:
        if runner.is_forbidden(error):
            return None
        raise


def judge(manifests: Iterable[Manifest], live: Live) -> CheckResult:
    """The changes in these objects that the operators cannot apply."""
    desired = [item for item in manifests if item.kind in KINDS and not item.is_hook]
    findings = [
        *(finding for item in desired for finding in names.renamed(item, desired, live)),
        *(finding for item in desired for finding in _of_resource(item, live)),
        *(finding for item in desired for finding in data_volumes.unchangeable(item, live)),
    ]
    claimed = [
        claim["metadata"]["name"]
        for item in desired
        for spec in data_volumes.volume_specs(item)
        for claim in spec.claims(live.claims)
    ]
    summary = f"{len(claimed)} volumes exist" if claimed else "no data exists yet"
    return CheckResult(
        summary,
        tuple(findings),
        tuple(_unavailable(desired, live)),
        tuple(warning for item in desired for warning in names.new_login_role(item, live)),
    )


def _of_resource(item: Manifest, live: Live) -> Iterator[Finding]:
    if item.kind == "PostgresCluster":
        yield from names.postgres(item, live)
        yield from restore.in_progress(item, live)
    else:
        yield from data_volumes.redis_storage(item, live)


def _unavailable(desired: Iterable[Manifest], live: Live) -> Iterator[str]:
    specs = [spec for item in desired for spec in data_volumes.volume_specs(item)]
    if live.classes is None and any(data_volumes.is_grown(spec, live) for spec in specs):
        yield "whether the storage class of the volumes allows expansion (permission denied)"


def skip_reason(site: Site) -> str:
    """Why there is nothing to compare."""
    return "" if site.of_kind(*KINDS) else "these values deploy no database"


CHECK = Check(
    NAME,
    "Existing data",
    "the operators can apply the values to existing databases and volumes, including those of an "
    "earlier release: same major version of PostgreSQL, supported volume sizes and storage "
    "classes, same names of clusters, users and databases; no restore is in progress",
    run,
    skip_reason,
    after=("api-resources",),
    stops_deploy=True,
)
