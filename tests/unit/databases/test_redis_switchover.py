"""The switchover of Redis: when it is refused, its order, and what it restores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from support.fakes.cluster import FakeCluster, namespace
from support.release.database_pods import output, owned, redis_cli, redis_pod
from vrooli.databases.model import Plan, Switched
from vrooli.databases.redis import switchover, writes_pause
from vrooli.databases.redis.session import Redis, RedisCommandError
from vrooli.errors import PrerequisiteError, UsageError, VrooliError
from vrooli.events import Progress, silent
from vrooli.kube.execution import Completed, Program
from vrooli.release.model import Release

RELEASE = Release("vrooli-prod", "dev", Path("kubeconfig"))
ADDRESSES = {"rfr-0": "10.0.0.1", "rfr-1": "10.0.0.2", "rfr-2": "10.0.0.3"}
PROGRESS = Progress("switchover", silent)

pytestmark = pytest.mark.anyio


class Site:
    """Three Redis with a Sentinel, in memory; an unknown command fails the test."""

    def __init__(self, *, replicas: int = 3, ready: bool = True) -> None:
        failover = owned(
            "RedisFailover",
            "vrooli-rf",
            RELEASE.name,
            redis={"replicas": replicas, "customConfig": ["min-replicas-to-write 1"]},
            sentinel={"replicas": 1},
        )
        names = list(ADDRESSES)[:replicas]
        pods = [redis_pod(name, "redis", ADDRESSES[name], is_ready=ready) for name in names]
        sentinel = redis_pod("rfs-a", "sentinel", "10.0.0.9")
        self.cluster = FakeCluster(namespace(), failover, sentinel, *pods)
        self.master = "10.0.0.1"
        self.promoted = "10.0.0.2"
        self.offsets = dict.fromkeys(ADDRESSES.values(), 1000)
        self.refusal = ""
        self.lost: set[str] = set()
        self.flags = ["master"]
        self.acts: list[str] = []
        handlers = self.cluster.server.programs.handlers
        for name in names:
            handlers["dev", name, "redis"] = self._redis(name)
        handlers["dev", "rfs-a", "sentinel"] = redis_cli(self._sentinel)

    async def redis(self) -> Redis:
        return await Redis.of(self.cluster, RELEASE)

    def _redis(self, name: str) -> Any:
        address = ADDRESSES[name]

        def command(words: Sequence[str]) -> Completed:
            if words == ["ROLE"]:
                return output(json.dumps(self._role(address)) + "\n")
            assert words[0] in ("CONFIG", "CLIENT"), words
            self.acts.append(f"{name}: {' '.join(words)}")
            return output('"OK"\n')

        def run(program: Program) -> Completed:
            script = program.argv[2]
            if "CLIENT PAUSE" in script:
                self.acts.append(f"{name}: pause until {' '.join(program.argv[10:])} have all")
                return self._end("pause", "")
            if "REPLICAOF" in script:
                self.acts.append(f"{name}: follow {' or '.join(program.argv[6:])}")
                self.master = self.promoted
                return self._end("follow", f"{self.promoted}\n")
            return redis_cli(command)(program)

        return run

    def _end(self, part: str, text: str) -> Completed:
        if part in self.lost:
            self.master = "10.0.0.1"
            raise VrooliError("The connection broke off")
        return output(text)

    def _role(self, address: str) -> list[Any]:
        if address == self.master:
            return ["master", self.offsets[address], []]
        return ["slave", self.master, 6379, "connected", self.offsets[address]]

    def _sentinel(self, words: Sequence[str]) -> Completed:
        if words[1] == "GET-MASTER-ADDR-BY-NAME":
            return output(f'["{self.master}","6379"]\n')
        if words[1] == "CKQUORUM":
            return output("OK 1 usable Sentinels\n")
        if words[1] == "REPLICAS":
            states = [{"ip": address, "slave-priority": "0"} for address in ADDRESSES.values()]
            return output(json.dumps(states) + "\n")
        if words[1] == "MASTER":
            flags = self.flags.pop(0) if len(self.flags) > 1 else self.flags[0]
            self.acts.append(f"state {flags}")
            return output(json.dumps({"ip": self.master, "flags": flags}) + "\n")
        assert words[1] == "FAILOVER", words
        self.acts.append("failover")
        return output(self.refusal or '"OK"\n')


@pytest.mark.parametrize(
    ("site", "to", "error", "message"),
    [
        (Site(replicas=1), "", PrerequisiteError, "has no replica: rfr-0 is its only instance"),
        (Site(ready=False), "", PrerequisiteError, "0 of 3 redis pods are ready"),
        (Site(), "other", UsageError, "has no pod other"),
    ],
)
async def test_a_switchover_is_refused_with_its_reason(
    site: Site, to: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        await switchover.plan(await site.redis(), to, PROGRESS)
    assert site.acts == []


async def test_a_replica_that_lags_prevents_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switchover, "CATCH_UP_S", 0.01)
    site = Site()
    site.offsets["10.0.0.1"] += 3 * 1024 * 1024
    with pytest.raises(PrerequisiteError, match=r"rfr-1 is 3\.0 MiB behind"):
        await switchover.plan(await site.redis(), "", PROGRESS)


@pytest.mark.parametrize(("to", "target"), [("", ""), ("rfr-2", "rfr-2"), ("rfr-0", "rfr-0")])
async def test_the_target_is_the_requested_pod_or_left_to_sentinel(to: str, target: str) -> None:
    planned = await switchover.plan(await Site().redis(), to, PROGRESS)
    assert planned == Plan("rfr-0", target)


async def test_writes_pause_before_the_failover_and_the_limit_is_restored() -> None:
    site = Site()
    switched = await switchover.switch_over(await site.redis(), Plan("rfr-0", ""), PROGRESS)
    assert switched == Switched("rfr-1", switched.pause_s)
    assert site.acts[0] == "rfr-0: pause until 10.0.0.2 10.0.0.3 have all"
    assert set(site.acts[1:3]) == {"failover", "rfr-0: follow 10.0.0.2 or 10.0.0.3"}
    assert set(site.acts[3:]) == {
        f"{name}: CONFIG SET min-replicas-to-write 1" for name in ADDRESSES
    }
    await switchover.await_followers(await site.redis(), "rfr-1", PROGRESS)


async def test_other_replicas_are_excluded_only_during_the_switchover() -> None:
    site = Site()
    await switchover.switch_over(await site.redis(), Plan("rfr-0", "rfr-1"), PROGRESS)
    assert site.acts[0] == "rfr-2: CONFIG SET replica-priority 0"
    assert "rfr-2: CONFIG SET replica-priority 100" in site.acts[3:]


async def test_a_refused_failover_ends_the_pause() -> None:
    site = Site()
    site.refusal = 'error:"NOGOODSLAVE No suitable replica to promote"\n'
    with pytest.raises(BaseExceptionGroup) as errors:
        await switchover.switch_over(await site.redis(), Plan("rfr-0", ""), PROGRESS)
    (error,) = errors.value.exceptions
    assert isinstance(error, RedisCommandError)
    assert "NOGOODSLAVE" in error.message
    assert "rfr-0: CLIENT UNPAUSE" in site.acts
    assert "rfr-0: CONFIG SET min-replicas-to-write 1" in site.acts


@pytest.mark.parametrize("part", ["pause", "follow"])
async def test_a_lost_connection_leaves_no_limit_on_the_master(part: str) -> None:
    site = Site()
    site.lost.add(part)
    with pytest.raises((VrooliError, BaseExceptionGroup)):
        await switchover.switch_over(await site.redis(), Plan("rfr-0", ""), PROGRESS)
    assert site.acts[-2:] == [
        "rfr-0: CLIENT UNPAUSE",
        "rfr-0: CONFIG SET min-replicas-to-write 1",
    ]


async def test_the_pause_goes_on_while_sentinel_may_promote_a_replica(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writes_pause, "POLL_S", 0)
    site = Site()
    site.lost.add("follow")
    site.flags = ["master,failover_in_progress", "master"]
    with pytest.raises(BaseExceptionGroup):
        await switchover.switch_over(await site.redis(), Plan("rfr-0", ""), PROGRESS)
    assert site.acts[-4:] == [
        "state master,failover_in_progress",
        "state master",
        "rfr-0: CLIENT UNPAUSE",
        "rfr-0: CONFIG SET min-replicas-to-write 1",
    ]


async def test_a_sentinel_that_is_not_ready_is_not_asked() -> None:
    site = Site()
    site.cluster.add(redis_pod("rfs-0", "sentinel", "", is_ready=False))
    switched = await switchover.switch_over(await site.redis(), Plan("rfr-0", ""), PROGRESS)
    assert switched.pod == "rfr-1"
