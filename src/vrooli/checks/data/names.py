"""The version and names of a database with data, which cannot be changed. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vrooli import shell
from vrooli.chart.manifest import Manifest
from vrooli.checks.data.live import DUMP, NAME, Live
from vrooli.findings import Finding
from vrooli.kube import common_labels, objects
from vrooli.operators.pgo.names import API_VERSION, CLUSTER_LABEL
from vrooli.operators.pgo.volumes import instance_set

Body = Mapping[str, Any]

RELEASE = "meta.helm.sh/release-name"
# How the chart names the second login role of the application's user (vrooli.alternateUser).
ALTERNATE = "-alternate"
# The values that name a resource.
NAMES = {"PostgresCluster": "pgoPostgresql.clusterName", "RedisFailover": "spotahomeRedis.name"}
UPGRADES = (
    "https://access.crunchydata.com/documentation/postgres-operator/latest/guides/"
    "major-postgres-version-upgrade"
)


def postgres(item: Manifest, live: Live) -> Iterator[Finding]:
    """The changes to an existing PostgresCluster that PGO cannot apply."""
    body = live.get(item)
    if body is not None:
        yield from _other_version(item, body, live)
        yield from _other_user(item, body)
        yield from _other_instances(item, body)


def renamed(item: Manifest, desired: Sequence[Manifest], live: Live) -> Iterator[Finding]:
    """The release's existing resources of the same kind that the values no longer contain."""
    names = {other.name for other in desired if other.kind == item.kind}
    release = objects.labels(item.body).get(common_labels.INSTANCE)
    for body in live.of_kind(item.kind):
        name, annotations = body["metadata"]["name"], objects.annotations_of(body)
        if name in names or not release or annotations.get(RELEASE) != release:
            continue
        what, back = f"{item.kind}/{name}", f"Set {NAMES[item.kind]} back to {name}."
        yield Finding(
            NAME,
            what,
            f"it has this release's data, but {NAMES[item.kind]} is {item.name}, which would start "
            "without data: an operator cannot rename it.",
            f"{back} For another name, {DUMP}."
            if item.kind == "PostgresCluster"
            else f"{back} To start without its data, delete it: "
            f"`kubectl delete {shell.segment(item.kind.lower())}/{shell.name(name)} -n "
            f"{shell.label(item.namespace)}`.",
            f"kubectl get {shell.segment(item.kind.lower())} -n {shell.label(item.namespace)}",
        )


def version_of(body: Body) -> int | None:
    """The major version that a PostgresCluster requests."""
    version = body["spec"].get("postgresVersion")
    return None if version is None else int(version)


def _other_version(item: Manifest, body: Body, live: Live) -> Iterator[Finding]:
    version, upgraded = version_of(item.body), (body.get("status") or {}).get("postgresVersion")
    actual = live.postgres_versions(body)
    if version is None or actual == {version} or upgraded == version:
        return
    if not actual:
        if version != version_of(body):
            yield _unknown_version(item, version_of(body), version)
        return
    data = " and ".join(map(str, sorted(actual)))
    yield Finding(
        NAME,
        item.key,
        f"its data has the format of PostgreSQL {data}, but pgoPostgresql.postgresVersion is "
        f"{version}: a different major version cannot read the data.",
        f"Set pgoPostgresql.postgresVersion to {data} in the values. For {version}, first upgrade "
        f"the data with a PGUpgrade, then deploy; or {DUMP}.",
        f"kubectl explain pgupgrade.spec --api-version={API_VERSION}",
        UPGRADES,
    )


def _unknown_version(item: Manifest, live: int | None, version: int) -> Finding:
    """The finding of a version change if the version of the data is unknown."""
    words = objects.Ref(item.kind, item.name, item.namespace or "").words
    patch = f"""-p '{{"spec":{{"postgresVersion":{version}}}}}'"""
    return Finding(
        NAME,
        item.key,
        "the version of its data is unknown because none of its instances is ready. The resource "
        f"requests {live}, and pgoPostgresql.postgresVersion is {version}: a major version that "
        "differs from the data's cannot read it.",
        f"Set postgresVersion to {live} and start the database first (`vrooli diagnose` shows why "
        f"it is not ready). If you know that the data has version {version}, change the resource: "
        f"`kubectl patch {words} --type merge "
        f"{patch}`, then deploy.",
        f"kubectl get pods -n {shell.label(item.namespace)} -l "
        f"{CLUSTER_LABEL}={shell.name(item.name)}",
        UPGRADES,
    )


def _other_user(item: Manifest, body: Body) -> Iterator[Finding]:
    """A different name of the application's user or of its database."""
    users, live_users = (side["spec"].get("users") or [] for side in (item.body, body))
    if not users or not live_users:
        return
    user, names = users[0], [one["name"] for one in live_users]
    if user["name"] not in names:
        message = f"its users are {', '.join(names)}, but the first of pgoPostgresql.users is "
        yield _immutable_name(
            item,
            f"{message}{user['name']}: the old user owns the tables, and the new one has none.",
            f"Set the user's name back to {names[0]}.",
        )
        return
    live_user = live_users[names.index(user["name"])]
    databases, live_databases = (one.get("databases") or [] for one in (user, live_user))
    if databases and live_databases and databases[0] not in live_databases:
        yield _immutable_name(
            item,
            f"{user['name']} has the database {', '.join(live_databases)}, but pgoPostgresql.users "
            f"has {databases[0]}, which would be empty.",
            f"Set its name back to {live_databases[0]}.",
        )


def new_login_role(item: Manifest, live: Live) -> Iterator[str]:
    """The manual step for a PostgresCluster without its second login role: PGO runs no SQL."""
    body = live.get(item)
    if body is None or item.kind != "PostgresCluster":
        return
    users, live_users = (
        [user["name"] for user in side["spec"].get("users") or ()] for side in (item.body, body)
    )
    role = f"{users[0]}{ALTERNATE}" if users else ""
    if role in users and role not in live_users:
        yield (
            f"{item.key} was created without the login role {role}: after this deploy, run once as "
            f'a superuser `GRANT "{users[0]}" TO "{role}"; ALTER ROLE "{role}" SET role TO '
            f'"{users[0]}";`; until then a changed password in Vault is not used'
        )


def _other_instances(item: Manifest, body: Body) -> Iterator[Finding]:
    """New instance sets without any existing one: their volumes would be empty."""
    sets, live_sets = (
        {instance_set(one, number) for number, one in enumerate(side["spec"]["instances"])}
        for side in (item.body, body)
    )
    if not sets & live_sets:
        yield _immutable_name(
            item,
            f"its instances are in the set {', '.join(sorted(live_sets))}, but the values have "
            f"only {', '.join(sorted(sets))}: the volumes would be deleted with the old set.",
            "Keep the old set in the values until the new one has all data.",
        )


def _immutable_name(item: Manifest, problem: str, remedy: str) -> Finding:
    command = (
        f"kubectl get {shell.segment(item.kind.lower())}/{shell.name(item.name)} -n "
        f"{shell.label(item.namespace)} -o yaml"
    )
    return Finding(NAME, item.key, problem, f"{remedy} To use a different one, {DUMP}.", command)
