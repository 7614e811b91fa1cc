"""Commands to the Redis and Sentinel pods of a release."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster
from support.release.database_pods import Command, output, owned, redis_cli, redis_pod
from vrooli.databases.redis.session import Redis, RedisCommandError
from vrooli.errors import PrerequisiteError
from vrooli.kube.execution import Completed
from vrooli.release.model import Release

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
FAILOVER = owned("RedisFailover", "vrooli-rf", RELEASE.name, redis={"replicas": 2})
REDIS = [redis_pod("rfr-0", "redis", "10.0.0.1"), redis_pod("rfr-1", "redis", "10.0.0.2")]
SENTINELS = [
    redis_pod("rfs-a", "sentinel", "10.0.0.3"),
    redis_pod("rfs-b", "sentinel", "10.0.0.4"),
]

pytestmark = pytest.mark.anyio


def cluster_with(commands: dict[tuple[str, str], Command], *pods: dict[str, Any]) -> FakeCluster:
    cluster = FakeCluster(FAILOVER, *(pods or (*REDIS, *SENTINELS)))
    for (pod, container), command in commands.items():
        cluster.server.programs.handlers["dev", pod, container] = redis_cli(command)
    return cluster


def names(address: str) -> Command:
    def answer(words: Sequence[str]) -> Completed:
        assert list(words) == ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"]
        return output(f'["{address}","6379"]\n' if address else "null\n")

    return answer


async def test_the_master_is_the_pod_that_all_sentinels_name() -> None:
    answer = names("10.0.0.2")
    cluster = cluster_with({("rfs-a", "sentinel"): answer, ("rfs-b", "sentinel"): answer})
    redis = await Redis.of(cluster, RELEASE)
    assert (await redis.master()).name == "rfr-1"
    assert redis.replicas("redis") == 2
    assert redis.replicas("sentinel") == 3


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("10.0.0.1", "10.0.0.2", "different addresses"),
        ("10.0.0.9", "10.0.0.9", "no pod's"),
        ("", "", "no pod's"),
    ],
)
async def test_sentinels_that_name_no_single_pod_leave_no_master(
    first: str, second: str, reason: str
) -> None:
    commands = {("rfs-a", "sentinel"): names(first), ("rfs-b", "sentinel"): names(second)}
    redis = await Redis.of(cluster_with(commands), RELEASE)
    with pytest.raises(PrerequisiteError, match=reason):
        await redis.master()


async def test_without_a_ready_sentinel_there_is_no_master() -> None:
    sentinel = redis_pod("rfs-a", "sentinel", "10.0.0.3", is_ready=False)
    redis = await Redis.of(cluster_with({}, *REDIS, sentinel), RELEASE)
    with pytest.raises(PrerequisiteError, match="no Sentinel is ready"):
        await redis.master()


async def test_words_reach_redis_as_they_are_and_not_as_arguments() -> None:
    received: list[Sequence[str]] = []

    def answer(words: Sequence[str]) -> Completed:
        received.append(words)
        return output('"OK"\n')

    cluster = cluster_with({("rfr-0", "redis"): answer})
    redis = await Redis.of(cluster, RELEASE)
    (pod, _) = await redis.pods()
    command = ["ACL", "SETUSER", "default", '>sec"ret\\ é\n']
    assert await redis.command(pod, *command) == "OK"
    assert received == [command]
    (program,) = cluster.server.programs.ran
    assert not any("SETUSER" in argument for argument in program.argv)


async def test_info_is_read_as_fields() -> None:
    text = "# Replication\r\nrole:master\r\nslave0:ip=10.0.0.2,port=6379\r\n"
    redis = await Redis.of(cluster_with({("rfr-0", "redis"): lambda _: output(text)}), RELEASE)
    info = await redis.info((await redis.pods())[0], "replication")
    assert info == {"role": "master", "slave0": "ip=10.0.0.2,port=6379"}


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        (output('error:"NOAUTH Authentication required."\n'), "NOAUTH Authentication required."),
        (Completed(1, "", "Could not connect to Redis\n"), "Could not connect to Redis"),
    ],
)
async def test_a_refused_command_reports_the_reason_and_not_its_arguments(
    ended: Completed, reason: str
) -> None:
    redis = await Redis.of(cluster_with({("rfr-0", "redis"): lambda _: ended}), RELEASE)
    with pytest.raises(RedisCommandError) as error:
        await redis.command((await redis.pods())[0], "auth", "secret")
    assert error.value.message == f"Redis in pod dev/rfr-0 refused AUTH: {reason}"
