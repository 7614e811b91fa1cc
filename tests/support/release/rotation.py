"""Passwords rotated as their owner does, in Vault alone, and every change of them that follows."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256

from support.cluster import vault_admin
from support.failures.faults_under_load import REDISES, eventually, names, primary
from vrooli.drills import writer_objects
from vrooli.errors import VrooliError
from vrooli.kube import Kube
from vrooli.operators.pgo import names as pgo
from vrooli.release import Release
from vrooli.secrets import catalog
from vrooli.vault import policies

USERS = f"{pgo.CLUSTER_LABEL}=vrooli-pg,{pgo.USER_LABEL}"
CONSUMERS = "app.kubernetes.io/component in (server,jobs),pod-template-hash"
# How long it may take until everything uses the new password, and until the old one is refused:
# Vault is asked every 30 s, and each pod is replaced after the other; seconds.
ROTATED_S, REFUSED_S = 300.0, 180.0
POLL_S = 2.0
# Run in the pod of the writer: it prints whether PostgreSQL accepts a password, or else why not.
LOGIN = """
import asyncio, sys
sys.path.insert(0, "/script")
import psycopg, writer
async def main():
    try:
        await (await writer.log_in(*sys.argv[1:], "vrooli")).close()
    except psycopg.OperationalError as error:
        print(error)
    else:
        print("accepted")
asyncio.run(main())
"""
ROLES = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE 'vrooli%' ORDER BY 1"


@dataclass
class Changes:
    """All observed values of each password and of its verifier in PostgreSQL, as digests.

    Attributes:
        values: The digests by name: ``secret/…`` the password in a Secret of PGO's, ``version/…``
            that Secret's resourceVersion, ``role/…`` the verifier in PostgreSQL.
        polls: How often the values were read.
    """

    values: dict[str, list[str]] = field(default_factory=dict)
    polls: int = 0

    def record(self, name: str, value: str) -> None:
        """Record a value, if it is another one."""
        digests, digest = self.values.setdefault(name, []), sha256(value.encode()).hexdigest()
        if digests[-1:] != [digest]:
            digests.append(digest)

    def counts(self, kind: str) -> dict[str, int]:
        """How often each of a kind has changed."""
        return {
            name: len(digests) - 1 for name, digests in self.values.items() if name.startswith(kind)
        }


@asynccontextmanager
async def changes(kube: Kube, release: Release) -> AsyncIterator[Changes]:
    """Poll the passwords for the duration of the block."""
    result = Changes()

    async def poll() -> None:
        for item in await kube.list("v1", "Secret", release.namespace, USERS):
            name = item["metadata"]["name"]
            result.record(f"secret/{name}", item.get("data", {}).get("password", ""))
            result.record(f"version/{name}", item["metadata"]["resourceVersion"])
        pod = await primary(kube, release.namespace)
        query = ["psql", "--tuples-only", "--no-align", "--command", ROLES]
        output = await kube.exec(release.namespace, pod, query, "database")
        for line in output.splitlines():
            role, _, verifier = line.partition("|")
            result.record(f"role/{role}", verifier)
        result.polls += 1

    async def poll_forever() -> None:
        while True:
            # A primary that was just killed does not answer; the next poll reads it.
            with contextlib.suppress(VrooliError, ValueError):
                await poll()
            await asyncio.sleep(POLL_S)

    async with asyncio.TaskGroup() as group:
        polling = group.create_task(poll_forever())
        yield result
        await poll()
        polling.cancel()


async def published(kube: Kube, namespace: str, name: str) -> dict[str, str]:
    """What pods read of a Secret."""
    body = await kube.get("v1", "Secret", name, namespace)
    assert body is not None, name
    return {key: base64.b64decode(value).decode() for key, value in body["data"].items()}


def _path(release: Release, path: str) -> str:
    """The path in Vault of a release's secret."""
    scopes = (item for item in policies.SCOPES if item.namespaces == (release.namespace,))
    return next(scopes, policies.SHARED).path(path)


async def logs_in(kube: Kube, release: Release, user: str, password: str) -> bool | None:
    """Whether PostgreSQL accepts a password through pgBouncer; None if unknown."""
    argv = ["python3", "-c", LOGIN, user, password]
    output = await kube.exec(release.namespace, writer_objects.NAME, argv, writer_objects.NAME)
    if "authentication failed" in output:
        return False
    return True if output.strip() == "accepted" else None


async def rotate_postgres(kube: Kube, release: Release) -> None:
    """Change PostgreSQL's password in Vault; returns when the old one is refused."""
    place = (kube, release.namespace, "vrooli-postgres-creds")
    before, new = await published(*place), secrets.token_hex(24)
    old_pods = set(await names(kube, release.namespace, CONSUMERS))
    await vault_admin.change(
        kube, _path(release, catalog.POSTGRES.path), lambda values: {**values, "DB_PASSWORD": new}
    )

    async def is_published() -> bool:
        return (await published(*place))["DB_PASSWORD"] == new

    async def is_refused() -> bool:
        return await logs_in(kube, release, before["DB_USER"], before["DB_PASSWORD"]) is False

    async def is_accepted() -> bool:
        after = await published(*place)
        return await logs_in(kube, release, after["DB_USER"], new) is True

    await eventually(is_published, ROTATED_S, "the Secret has the new password")
    await eventually(is_refused, REFUSED_S, "PostgreSQL refuses the old password")
    await eventually(is_accepted, REFUSED_S, "PostgreSQL takes the new password")
    assert not old_pods & set(await names(kube, release.namespace, CONSUMERS))


async def rotate_redis(kube: Kube, release: Release) -> None:
    """Change Redis' password in Vault; returns when the old one is refused."""
    place = (kube, release.namespace, "vrooli-redis-creds")
    before, new = await published(*place), secrets.token_hex(24)
    old_pods = set(await names(kube, release.namespace, CONSUMERS))
    await vault_admin.change(
        kube, _path(release, catalog.REDIS.path), lambda values: {**values, "REDIS_PASSWORD": new}
    )

    async def is_published() -> bool:
        return (await published(*place))["REDIS_PASSWORD"] == new

    async def takes(password: str) -> set[bool]:
        answers = set()
        for pod in await names(kube, release.namespace, REDISES):
            script = f"REDISCLI_AUTH={password} redis-cli PING 2>&1"
            output = await kube.exec(release.namespace, pod, ["sh", "-c", script], "redis")
            answers.add(output.strip().endswith("PONG") and "WRONGPASS" not in output)
        return answers

    async def is_refused() -> bool:
        with contextlib.suppress(VrooliError):  # a pod that is just being replaced
            return await takes(before["REDIS_PASSWORD"]) == {False}
        return False

    await eventually(is_published, ROTATED_S, "the Secret has the new password")
    await eventually(is_refused, REFUSED_S, "every Redis refuses the old password")
    assert await takes(new) == {True}
    assert not old_pods & set(await names(kube, release.namespace, CONSUMERS))
