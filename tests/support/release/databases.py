"""What a release's databases hold: rows and keys that must outlive whatever happens."""

from __future__ import annotations

from vrooli.kube import Kube

ROWS, KEYS = 1000, 1000
PRIMARY = (
    "postgres-operator.crunchydata.com/cluster=vrooli-pg,postgres-operator.crunchydata.com/instance"
)
REDIS = "app.kubernetes.io/name=vrooli-rf,app.kubernetes.io/component=redis"


async def pods(kube: Kube, namespace: str, labels: str) -> dict[str, str]:
    """The pods with some labels: name and what they are told from their successors by."""
    result = await kube.list("v1", "Pod", namespace, labels)
    return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in result}


async def sql(kube: Kube, namespace: str, query: str) -> str:
    """What a query gives in PostgreSQL."""
    (name,) = await pods(kube, namespace, PRIMARY)
    command = ["psql", "--dbname", "vrooli", "--tuples-only", "--no-align", "--command", query]
    return (await kube.exec(namespace, name, command, "database")).strip()


async def redis(kube: Kube, namespace: str, script: str) -> str:
    """What a line of redis-cli gives; the pod knows the password."""
    (name,) = await pods(kube, namespace, REDIS)
    command = ["sh", "-c", f'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli {script}']
    return (await kube.exec(namespace, name, command, "redis")).strip()


async def write_data(kube: Kube, namespace: str) -> None:
    """Write rows and keys that must stay."""
    rows = f"SELECT n, md5(n::text) AS text FROM generate_series(1, {ROWS}) AS n"
    await sql(kube, namespace, f"CREATE TABLE kept AS {rows}")
    fill = f"for n = 1, {KEYS} do redis.call('SET', 'kept:' .. n, n * n) end return {KEYS}"
    assert await redis(kube, namespace, f'EVAL "{fill}" 0') == str(KEYS)


async def read_data(kube: Kube, namespace: str) -> tuple[str, str]:
    """A sum over all rows and one over all keys, so that each counts."""
    rows = "SELECT count(*), md5(string_agg(text, ',' ORDER BY n)) FROM kept"
    each = f"for n = 1, {KEYS} do t = t + (redis.call('GET', 'kept:' .. n) or 0) end"
    total = f'EVAL "local t = 0 {each} return t" 0'
    return await sql(kube, namespace, rows), await redis(kube, namespace, total)


async def forget_data(kube: Kube, namespace: str) -> None:
    """Take away what ``write_data`` wrote."""
    await sql(kube, namespace, "DROP TABLE IF EXISTS kept")
    drop = f"for n = 1, {KEYS} do redis.call('DEL', 'kept:' .. n) end return {KEYS}"
    await redis(kube, namespace, f'EVAL "{drop}" 0')
