"""Faults of Redis: its master is deleted or killed, and two Sentinels at once."""

from __future__ import annotations

from vrooli.databases.redis.session import Redis
from vrooli.drills.faults import pods
from vrooli.drills.faults.pods import Group
from vrooli.drills.model import Injection, NotApplicableError
from vrooli.drills.site import Site
from vrooli.errors import PrerequisiteError
from vrooli.kube.objects import name, text
from vrooli.operators.redis import names

# Two of so many Sentinels can be lost while none is needed to elect a master.
SENTINELS, LOST_SENTINELS = 3, 2
PROGRAM = "redis-server"


async def master_deleted(site: Site) -> Injection:
    """Delete the pod of the master."""
    redis = _redis(site)
    group = await _group(site, redis, names.REDIS)
    master = (await redis.master()).name
    deleted = [pod for pod in group.pods if name(pod) == master]
    return pods.deletion(group, deleted, subjects=(redis.name,))


async def master_killed(site: Site) -> Injection:
    """Kill the server in the pod of the master.

    The first process of a container cannot be killed from within it.
    """
    redis, processes = _redis(site), site.processes
    if processes is None:
        raise NotApplicableError(
            "the process of a container can only be killed on its node, and the nodes of this "
            "cluster are not this machine"
        )
    master = await redis.master()
    group = await _group(site, redis, names.REDIS)
    uid = next(text(pod, "metadata", "uid") for pod in group.pods if name(pod) == master.name)
    before = await _run_id(redis, master.name)

    async def inject() -> None:
        if not processes.kill_in_pod(uid, PROGRAM):
            raise PrerequisiteError(f"No process {PROGRAM} of pod {master.name} was found.")

    async def is_healed() -> bool:
        is_restarted = await _run_id(redis, master.name) != before
        ready = [pod for pod in await redis.pods() if pod.is_ready]
        return is_restarted and len(ready) == redis.replicas(names.REDIS)

    return Injection(
        targets=(f"process {PROGRAM} of Pod/{master.name} in namespace {redis.namespace}",),
        subjects=(master.name, names.stateful_set_name(redis.name), redis.name),
        inject=inject,
        is_healed=is_healed,
    )


async def sentinels_deleted(site: Site) -> Injection:
    """Delete two Sentinels at once."""
    redis = _redis(site)
    group = await _group(site, redis, names.SENTINEL)
    if len(group.pods) < SENTINELS:
        raise NotApplicableError(
            f"Redis {redis.name} has {len(group.pods)} of the {SENTINELS} Sentinels that this needs"
        )
    return pods.deletion(group, group.pods[:LOST_SENTINELS])


def _redis(site: Site) -> Redis:
    if site.redis is None:
        raise NotApplicableError("Redis is outside the cluster")
    return site.redis


async def _group(site: Site, redis: Redis, component: str) -> Group:
    return await Group.fetch(site.kube, redis.namespace, redis.selector(component))


async def _run_id(redis: Redis, pod_name: str) -> str:
    """What a process of Redis differs in from its successor."""
    for pod in await redis.pods():
        if pod.name == pod_name:
            return (await redis.info(pod, "server"))["run_id"]
    return ""
