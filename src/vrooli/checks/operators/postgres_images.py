"""PGO has an image for each part of PostgreSQL, and its definition accepts the version."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from vrooli import shell
from vrooli.chart.manifest import Manifest
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.runner import is_forbidden
from vrooli.findings import Finding
from vrooli.kube import ApiError, common_labels
from vrooli.kube import Manifest as Body
from vrooli.kube.objects import items, labels, mapping, number, text
from vrooli.operators import PGO, versions
from vrooli.operators.installation.install import find_deployment, running_version
from vrooli.operators.pgo import images, names, operator

NAME = "postgres-images"
DEFINITION = ("apiextensions.k8s.io/v1", "CustomResourceDefinition", operator.CLUSTER.definition)
ENVIRONMENT = "kubectl get deployments -A -l {selector} -o yaml"


async def run(site: Site) -> CheckResult:
    """Compare the release's PostgresClusters with the operator's images and definition."""
    unavailable: list[str] = []
    deployment: Body | None = None
    definition: Body | None = None
    try:
        deployment = await find_deployment(PGO, site.kube)
    except ApiError as error:
        _demand_forbidden(error)
        unavailable.append("the images of the operator (permission denied)")
    try:
        definition = await site.kube.get(*DEFINITION)
    except ApiError as error:
        _demand_forbidden(error)
        unavailable.append("the newest version of its definition (permission denied)")
    result = judge(site.of_kind(names.KIND), deployment, definition)
    return CheckResult(
        result.summary, result.findings, (*unavailable, *result.unavailable), result.warnings
    )


def _demand_forbidden(error: ApiError) -> None:
    if not is_forbidden(error):
        raise error


def judge(
    clusters: Collection[Manifest], deployment: Body | None, definition: Body | None
) -> CheckResult:
    """The PostgresClusters that the operator cannot run.

    Args:
        clusters: The release's PostgresClusters.
        deployment: The operator's Deployment; None if it is absent or unreadable.
        definition: The definition of PostgresCluster; None likewise.
    """
    offered = images.offered_images(deployment) if deployment else frozenset()
    too_new = [item for item in clusters if _is_too_new(item, definition)]
    findings = [_too_new(item, newest_version(item, definition), offered) for item in too_new]
    majors = images.postgres_versions(offered)
    if majors:
        rest = [item for item in clusters if item not in too_new]
        findings += [_missing(item, name, offered) for item, name in _all_missing(rest, offered)]
        summary = f"images of PostgreSQL {_listed(majors)}"
        return CheckResult(summary, tuple(findings))
    return CheckResult(
        findings=tuple(findings),
        warnings=tuple(_warnings(clusters, _version(deployment, definition))),
    )


def newest_version(item: Manifest, definition: Body | None) -> int:
    """The newest major version that a definition accepts for an object; 0 if it has no limit."""
    api_version = item.api_version.rpartition("/")[2]
    for version in items(definition, "spec", "versions"):
        if text(version, "name") == api_version:
            schema = mapping(version, "schema", "openAPIV3Schema", "properties", "spec")
            return number(schema, "properties", "postgresVersion", "maximum")
    return 0


def _is_too_new(item: Manifest, definition: Body | None) -> bool:
    newest = newest_version(item, definition)
    return bool(newest) and number(item.body, "spec", "postgresVersion") > newest


def _all_missing(
    clusters: Collection[Manifest], offered: Collection[str]
) -> Iterator[tuple[Manifest, str]]:
    for item in clusters:
        for name in images.missing_images(item.body, offered):
            yield item, name


def _version(deployment: Body | None, definition: Body | None) -> str:
    """The operator's version: of its Deployment, else of its definition; empty if unknown."""
    if deployment:
        return running_version(PGO, dict(deployment))
    return labels(definition or {}).get(common_labels.VERSION, "")


def _warnings(clusters: Collection[Manifest], version: str) -> Iterator[str]:
    """What is missing by the list of versions, if the operator's environment is unreadable."""
    release = versions.find(PGO.name, version)
    if release is None or not release.postgres:
        return
    offered = {images.postgres_image(major) for major in release.postgres}
    for item in clusters:
        major = number(item.body, "spec", "postgresVersion")
        if not text(item.body, "spec", "image") and images.postgres_image(major) not in offered:
            yield (
                f"{release.title} has images of PostgreSQL {_listed(release.postgres)} by default, "
                f"but {item.key} requests {major}: {_remedy(offered)}"
            )


def _missing(item: Manifest, name: str, offered: Collection[str]) -> Finding:
    value = images.VALUES.get(name)
    return Finding(
        NAME,
        item.key,
        f"the operator has no image of {images.title(name)}, and {value or images.POSTGRES_VALUE} "
        f"is empty: it would create nothing and report {images.EVENT}.",
        f"Set {value} to an image." if value else _remedy(offered),
        ENVIRONMENT.format(selector=PGO.selector),
    )


def _remedy(offered: Collection[str]) -> str:
    listed = _listed(images.postgres_versions(offered))
    return (
        f"Set pgoPostgresql.postgresVersion to {listed}, or {images.POSTGRES_VALUE} to an image of "
        "the version. A database that has data keeps its version."
    )


def _too_new(item: Manifest, newest: int, offered: Collection[str]) -> Finding:
    major = number(item.body, "spec", "postgresVersion")
    majors = [number for number in images.postgres_versions(offered) if number <= newest]
    return Finding(
        NAME,
        item.key,
        f"pgoPostgresql.postgresVersion is {major}, but the definition of the operator accepts "
        f"{newest} at most.",
        f"Set pgoPostgresql.postgresVersion to {_listed(majors or [newest])}, or install a newer "
        "operator with its definitions.",
        "kubectl explain postgrescluster.spec.postgresVersion "
        f"--api-version={shell.path(item.api_version)}",
    )


def _listed(majors: Collection[int]) -> str:
    return " or ".join(map(str, majors))


def skip_reason(site: Site) -> str:
    """Why no image is needed."""
    return "" if site.of_kind(names.KIND) else f"these values have no {names.KIND}"


CHECK = Check(
    NAME,
    "PostgreSQL images",
    "the operator has an image of the requested version of PostgreSQL and of each other part, "
    "unless the values name one, and its definition accepts the version",
    run,
    skip_reason,
    after=("api-resources",),
    stops_deploy=True,
    of_operators=True,
)
