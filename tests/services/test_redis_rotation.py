"""A rotation of Redis' password, with real Redis and Sentinel processes and a writer."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import astuple, dataclass, field
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import ConstantBackoff
from redis.exceptions import AuthenticationError, ReadOnlyError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

from support.fakes.kubernetes_http import NAMESPACE, FakeKubernetes
from support.programs.processes import PATIENCE_S, Running, wait_until
from vrooli_rotator.consumers import Consumers
from vrooli_rotator.errors import RefusedError, WaitingError
from vrooli_rotator.kubernetes import Kubernetes
from vrooli_rotator.outcome import Outcome
from vrooli_rotator.redis_nodes import REDIS_PORT, SENTINEL_PORT, SentinelNode, switch_over
from vrooli_rotator.redis_rotation import Failover, RedisRotation
from vrooli_rotator.secrets import Secrets
from vrooli_shared.tasks import cancel_all

FIRST, SECOND = "first-password", "second-password"
REPLICAS, SENTINELS = 3, 3
FAILOVER = Failover("rf", REPLICAS, SENTINELS, "redis-vault", "redis-creds")


@dataclass
class Release:
    """Redis and Sentinel on addresses of their own, and the objects that stand for them.

    A pod that is deleted starts again with what the operator's ConfigMap says, as a replica.
    """

    folder: Path
    kubernetes: FakeKubernetes = field(default_factory=FakeKubernetes)
    processes: dict[str, Running] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    deleted_masters: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.kubernetes.put("RedisFailover", "rf", {})
        self.kubernetes.put("Secret", "rotation", {})
        self.kubernetes.put_secret("redis-vault", password=FIRST, REDIS_PASSWORD=FIRST)
        self._write_config(FIRST)
        for number in range(REPLICAS):
            self._start_redis(f"redis-{number}", FIRST, is_master=number == 0)
        for number in range(SENTINELS):
            self._start_sentinel(f"sentinel-{number}")
        self.kubernetes.on_delete = self._replace
        self.kubernetes.on_change = self._operate

    def stop(self) -> None:
        for process in self.processes.values():
            process.stop()

    def host(self, name: str) -> str:
        kind, _, number = name.rpartition("-")
        return f"127.0.7.{int(number) + (1 if kind == 'redis' else 101)}"

    def _operate(self, kind: str, name: str) -> None:
        """What the operator does when the RedisFailover changes."""
        if kind == "RedisFailover":
            self._write_config(self.kubernetes.secret("redis-creds")["password"])

    def _write_config(self, password: str) -> None:
        text = f"port 6379\nmasterauth {password}\nrequirepass {password}"
        self.kubernetes.put("ConfigMap", "rfr-rf", {"data": {"redis.conf": text}})

    def _replace(self, kind: str, name: str) -> None:
        assert kind == "Pod"
        self.deleted.append(name)
        if self._master() == self.host(name):
            self.deleted_masters.append(name)
        self.processes[name].stop()
        text = self.kubernetes.objects["ConfigMap", "rfr-rf"]["data"]["redis.conf"]
        self._start_redis(name, text.splitlines()[-1].split()[1], is_master=False)

    def _start_redis(self, name: str, password: str, *, is_master: bool) -> None:
        config = (
            f"requirepass {password}\nmasterauth {password}\nsave ''\nappendonly no\n"
            f"replica-announce-ip {self.host(name)}\n"
        )
        if not is_master:
            config += f"replicaof {self._master()} {REDIS_PORT}\n"
        self._start(name, "redis", REDIS_PORT, config)

    def _master(self) -> str:
        sentinel = next(iter(self.processes.values())) if self.processes else None
        if sentinel is None or "sentinel-0" not in self.processes:
            return self.host("redis-0")
        with socket.create_connection((self.host("sentinel-0"), SENTINEL_PORT), 10) as connection:
            connection.sendall(b"SENTINEL get-master-addr-by-name mymaster\r\n")
            return connection.recv(200).split(b"\r\n")[2].decode()

    def is_switched(self) -> bool:
        """Whether another Redis is the master, and all others have its data."""
        return self._master() != self.host("redis-0") and all(
            self._is_replica(f"redis-{number}")
            for number in range(REPLICAS)
            if self.host(f"redis-{number}") != self._master()
        )

    def _is_replica(self, name: str) -> bool:
        with socket.create_connection((self.host(name), REDIS_PORT), 10) as connection:
            connection.sendall(f"AUTH {FIRST}\r\nINFO replication\r\n".encode())
            answer = b""
            while b"master_repl_offset" not in answer and (part := connection.recv(4000)):
                answer += part
        return f"master_host:{self._master()}\r\n".encode() in answer and (
            b"master_link_status:up" in answer
        )

    def _start_sentinel(self, name: str) -> None:
        config = (
            f"sentinel monitor mymaster {self.host('redis-0')} {REDIS_PORT} 2\n"
            f"sentinel auth-pass mymaster {FIRST}\n"
            "sentinel down-after-milliseconds mymaster 5000\n"
            "sentinel failover-timeout mymaster 10000\n"
            f"sentinel announce-ip {self.host(name)}\n"
        )
        self._start(name, "sentinel", SENTINEL_PORT, config, "--sentinel")

    def _start(self, name: str, component: str, port: int, config: str, *options: str) -> None:
        host, file = self.host(name), self.folder / f"{name}.conf"
        (self.folder / name).mkdir(exist_ok=True)
        file.write_text(f"bind {host}\nport {port}\ndir {self.folder}/{name}\n{config}")
        process = Running(name, ["redis-server", file, *options], port, self.folder)
        process._up = lambda: _listens(host, port)  # type: ignore[method-assign]
        self.processes[name] = process.start()
        labels = {"app.kubernetes.io/name": "rf", "app.kubernetes.io/component": component}
        ready = {"type": "Ready", "status": "True"}
        status = {"phase": "Running", "podIP": host, "conditions": [ready]}
        self.kubernetes.put("Pod", name, {"metadata": {"labels": labels}, "status": status})


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex((host, port)) == 0


@pytest.fixture
def release() -> Iterator[Release]:
    with tempfile.TemporaryDirectory(prefix="vrooli-rotation-") as folder:
        running = Release(Path(folder))
        try:
            running.start()
            yield running
        finally:
            running.stop()


@contextlib.asynccontextmanager
async def rotation(release: Release) -> AsyncIterator[RedisRotation]:
    async with release.kubernetes.client() as client:
        kubernetes = Kubernetes(client, NAMESPACE)
        secrets = Secrets(kubernetes, "rotation")
        yield RedisRotation(FAILOVER, kubernetes, secrets, Consumers(kubernetes, []), "rotation")


async def reconcile_until_done(rotation: RedisRotation, limit_s: float = PATIENCE_S) -> list[str]:
    """Make passes until nothing is left to do; returns what was waited for."""
    waited: list[str] = []
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            if await rotation.reconcile() is not Outcome.PUBLISHED:
                return waited
        except WaitingError as error:
            waited.append(str(error))
        await asyncio.sleep(0.5)
    raise TimeoutError(f"not complete within {limit_s:g} s, waiting for: {waited}")


class Writer:
    """Writes numbered keys through Sentinel; remembers those that Redis acknowledged."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._sentinels = [(release.host(f"sentinel-{n}"), SENTINEL_PORT) for n in range(SENTINELS)]
        self.acknowledged: list[int] = []
        self.failures: list[str] = []

    async def run(self) -> None:
        sentinel = self._sentinel(FIRST)
        master: Redis = sentinel.master_for("mymaster")
        try:
            await self._write(master)
        finally:
            await master.aclose()
            for client in sentinel.sentinels:
                await client.aclose()

    async def _write(self, master: Redis) -> None:
        for number in itertools.count():
            try:
                await master.set(f"key-{number}", number)
                self.acknowledged.append(number)
            except (RedisError, OSError) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            await asyncio.sleep(0.01)

    def _sentinel(self, password: str) -> Sentinel:
        return Sentinel(  # type: ignore[no-untyped-call]
            self._sentinels,
            sentinel_kwargs={"socket_timeout": 2},
            password=password,
            socket_timeout=4,
            retry=Retry(ConstantBackoff(0.2), retries=25),
            retry_on_error=[RedisConnectionError, ReadOnlyError],
        )


async def test_a_rotation_loses_no_write_and_ends_with_the_new_password_alone(
    release: Release,
) -> None:
    async with rotation(release) as subject:
        assert await reconcile_until_done(subject) == []
        assert release.kubernetes.secret("redis-creds")["password"] == FIRST
        wait_until(lambda: _knows_all(release), PATIENCE_S, "Sentinel knows the replicas")
        writer = Writer(release)
        task = asyncio.create_task(writer.run())
        await asyncio.sleep(1)
        release.kubernetes.put_secret("redis-vault", password=SECOND, REDIS_PASSWORD=SECOND)
        # Pods' times are whole seconds: those here are a moment old, elsewhere they are days old.
        await asyncio.sleep(1.1)
        waited = await reconcile_until_done(subject)
        await asyncio.sleep(0.5)
        await cancel_all([task])
    assert release.kubernetes.secret("redis-creds")["password"] == SECOND
    state = release.kubernetes.secret("rotation")
    assert state == {"redis.password": SECOND, "redis.REDIS_PASSWORD": SECOND}
    # One that starts within the second of the configuration is replaced once more.
    assert set(release.deleted) == {"redis-0", "redis-1", "redis-2"}
    assert release.deleted_masters == [], "a master is deleted only after a switchover"
    assert writer.acknowledged, waited
    assert writer.failures == []
    await _assert_only_the_new_password_is_taken(release)
    assert await _missing(release, writer.acknowledged) == []


async def test_a_rotation_that_ended_anywhere_is_taken_up_again(release: Release) -> None:
    """Each pass is cut short at another moment; the last ones run to their end."""
    async with rotation(release) as subject:
        await reconcile_until_done(subject)
        wait_until(lambda: _knows_all(release), PATIENCE_S, "Sentinel knows the replicas")
        release.kubernetes.put_secret("redis-vault", password=SECOND, REDIS_PASSWORD=SECOND)
        await asyncio.sleep(1.1)
        for limit_s in (0.005, 0.01, 0.02, 0.04, 0.08, 0.16):
            with contextlib.suppress(TimeoutError, WaitingError):
                async with asyncio.timeout(limit_s):
                    await subject.reconcile()
        await reconcile_until_done(subject)
    await _assert_only_the_new_password_is_taken(release)


async def test_a_change_that_is_taken_back_before_it_was_published_leaves_nothing(
    release: Release,
) -> None:
    """Redis and Sentinel may use the new password already when its publication fails."""
    async with rotation(release) as subject:
        await reconcile_until_done(subject)
        release.kubernetes.put_secret("redis-vault", password=SECOND, REDIS_PASSWORD=SECOND)
        subject._published.publish = _fail  # type: ignore[method-assign,assignment]
        with pytest.raises(TimeoutError):
            await subject.reconcile()
    release.kubernetes.put_secret("redis-vault", password=FIRST, REDIS_PASSWORD=FIRST)
    async with rotation(release) as subject:
        await reconcile_until_done(subject)
    state = release.kubernetes.secret("rotation")
    assert state == {"redis.password": FIRST, "redis.REDIS_PASSWORD": FIRST}
    assert release.kubernetes.secret("redis-creds")["password"] == FIRST
    assert release.deleted == []
    await _assert_only_one_password_is_taken(release, FIRST, SECOND)


async def _fail(*_: object, **__: object) -> None:
    raise TimeoutError("the API server does not answer")


async def test_a_switchover_that_is_cut_short_loses_no_write(release: Release) -> None:
    """The program ends right after Sentinel's order, before it knows who is the master."""
    async with rotation(release) as subject:
        await reconcile_until_done(subject)
        wait_until(lambda: _knows_all(release), PATIENCE_S, "Sentinel knows the replicas")
        nodes = {pod.node.name: pod.node for pod in await subject._pods()}
        sentinel = (await subject._sentinels())[0]
    writer = Writer(release)
    task = asyncio.create_task(writer.run())
    await asyncio.sleep(1)
    master, others = nodes["redis-0"], [nodes["redis-1"], nodes["redis-2"]]
    order = asyncio.create_task(switch_over(master, others, _Ends(*astuple(sentinel)), FIRST))
    with pytest.raises(asyncio.CancelledError):
        await order
    await asyncio.to_thread(wait_until, release.is_switched, PATIENCE_S, "the failover ends")
    await asyncio.sleep(1)
    await cancel_all([task])
    assert writer.acknowledged
    assert await _missing(release, writer.acknowledged, FIRST) == []


class _Ends(SentinelNode):
    """A Sentinel whose order is the last thing that the program does."""

    async def fail_over(self) -> None:
        await super().fail_over()
        raise asyncio.CancelledError


async def test_a_password_that_redis_conf_cannot_hold_is_refused_and_the_old_one_stays(
    release: Release,
) -> None:
    async with rotation(release) as subject:
        await reconcile_until_done(subject)
        for password in ("", "two words", 'a"quote', "line\nfeed", "back\\slash"):
            release.kubernetes.put_secret("redis-vault", password=password)
            with pytest.raises(RefusedError, match=r"redis\.conf supports"):
                await subject.reconcile()
    assert release.kubernetes.secret("redis-creds")["password"] == FIRST


async def test_a_published_secret_that_somebody_emptied_is_filled_again(release: Release) -> None:
    async with rotation(release) as subject:
        await reconcile_until_done(subject)
        release.kubernetes.put_secret("redis-creds")
        await reconcile_until_done(subject)
    assert release.kubernetes.secret("redis-creds")["password"] == FIRST


async def test_nothing_changes_while_a_redis_is_missing(release: Release) -> None:
    async with rotation(release) as subject:
        await reconcile_until_done(subject)
        release.kubernetes.objects["Pod", "redis-1"]["status"]["phase"] = "Pending"
        release.kubernetes.put_secret("redis-vault", password=SECOND, REDIS_PASSWORD=SECOND)
        with pytest.raises(WaitingError, match="2 of 3 pods of redis run"):
            await subject.reconcile()
    assert release.kubernetes.secret("redis-creds")["password"] == FIRST
    assert "redis.previous" not in release.kubernetes.secret("rotation")


def _knows_all(release: Release) -> bool:
    with socket.create_connection((release.host("sentinel-0"), SENTINEL_PORT), 10) as connection:
        connection.sendall(b"INFO sentinel\r\n")
        answer = connection.recv(4000)
    return b"slaves=2,sentinels=3" in answer


async def _assert_only_the_new_password_is_taken(release: Release) -> None:
    await _assert_only_one_password_is_taken(release, SECOND, FIRST)


async def _assert_only_one_password_is_taken(release: Release, taken: str, other: str) -> None:
    for number in range(REPLICAS):
        host = release.host(f"redis-{number}")
        async with Redis(host=host, port=REDIS_PORT, password=taken) as client:
            assert await client.ping()
            (auth,) = (await client.config_get("masterauth")).values()
            assert auth in {taken, taken.encode()}
        async with Redis(host=host, port=REDIS_PORT, password=other) as client:
            with pytest.raises(AuthenticationError):
                await client.ping()


async def _missing(release: Release, numbers: list[int], password: str = SECOND) -> list[int]:
    host = release._master()
    async with Redis(
        host=host, port=REDIS_PORT, password=password, decode_responses=True
    ) as client:
        values = await client.mget([f"key-{number}" for number in numbers])
    return [number for number, value in zip(numbers, values, strict=True) if value is None]
