"""A password that changes beneath running services: what is open goes on, what is new waits."""

from __future__ import annotations

import asyncio
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
from pydantic import SecretStr
from redis import Redis

from support.browser.page import health, send
from support.programs.backend import PASSWORD, psql, set_password
from support.programs.processes import wait_until
from support.programs.services import Stack, is_ready, start_service
from vrooli_shared import redis_link
from vrooli_shared.settings import Settings

ROLE, NEXT = "rotating", "the-next-password"
# How long the database refuses new connections, seconds.
REFUSED_S = 6.0
# Keeps the connections of posts busy; shorter than the server waits for a lock.
LOCKED_FOR_1_S = "BEGIN; LOCK TABLE vrooli.posts IN EXCLUSIVE MODE; SELECT pg_sleep(1); COMMIT"


def alive(url: str) -> bool:
    """Whether the liveness probe passes."""
    answer = httpx.get(f"{url}/healthcheck", headers={"X-Probe": "liveness"}, timeout=2)
    return answer.status_code == httpx.codes.OK


def test_open_connections_work_while_new_ones_are_rejected(stack: Stack) -> None:
    """The database's password is another one: no post fails, and readiness stays."""
    set_password(stack.backend, ROLE, PASSWORD)
    _act_as_vrooli(stack)
    env = {**stack.environment(), "DB_USER": ROLE}
    server = start_service("rotating", "vrooli_server", stack.backend.folder, env)
    url = f"http://127.0.0.1:{server.port}"
    try:
        wait_until(lambda: is_ready(url), 20, "the server is ready")
        set_password(stack.backend, ROLE, NEXT)
        time.sleep(0.5)
        statuses, ready, until = [], [], time.monotonic() + REFUSED_S
        with ThreadPoolExecutor(8) as threads:
            while time.monotonic() < until:
                sent = threads.map(lambda n: send(url, f"Rotating {n}").status_code, range(8))
                statuses += list(sent)
                ready.append(is_ready(url))
        assert set(statuses) == {201}
        assert all(ready)
        # New ones were wanted, and refused: a few tries, no busy loop.
        assert 1 <= server.log.count("error connecting") <= REFUSED_S
    finally:
        server.stop()


def test_a_server_without_connections_recovers(stack: Stack) -> None:
    """The pooler restarts while the password is another one: down, alive, and well by itself."""
    set_password(stack.backend, ROLE, PASSWORD)
    _act_as_vrooli(stack)
    env = {**stack.environment(), "DB_USER": ROLE}
    server = start_service("refused", "vrooli_server", stack.backend.folder, env)
    url = f"http://127.0.0.1:{server.port}"
    try:
        wait_until(lambda: is_ready(url), 20, "the server is ready")
        set_password(stack.backend, ROLE, NEXT)
        stack.backend.pgbouncer.stop(signal.SIGINT)
        stack.backend.pgbouncer.start()
        wait_until(lambda: not is_ready(url), 20, "the refusal is noticed")
        assert alive(url)
        assert "password" not in str(health(url)["database"]).replace("password auth", "")
        time.sleep(REFUSED_S)
        assert server.log.count("error connecting") <= 5 * REFUSED_S
        set_password(stack.backend, ROLE, PASSWORD)
        wait_until(lambda: is_ready(url), 40, "the server is ready again")
        assert send(url, "After the refusal").status_code == httpx.codes.CREATED
    finally:
        server.stop()


async def test_a_command_is_retried_while_the_redis_password_differs(stack: Stack) -> None:
    """Two seconds in which every connection is new and refused cost no command."""
    sentinel = stack.backend.sentinels[0].port
    settings = Settings(
        redis_sentinel_hosts=f"127.0.0.1:{sentinel}", redis_password=SecretStr(PASSWORD)
    )
    client = redis_link.connect(settings)
    master = await asyncio.to_thread(_master, stack)
    with master:
        try:
            await client.set("rotation", "before")
            master.config_set("requirepass", NEXT)
            _end_clients(master)
            waiting = asyncio.ensure_future(client.get("rotation"))
            await asyncio.sleep(2.0)
            assert not waiting.done()
            master.config_set("requirepass", PASSWORD)
            assert await waiting == b"before"
        finally:
            master.config_set("requirepass", PASSWORD)
            await client.aclose()
            pool = client.connection_pool
            for sentinel_client in pool.sentinel_manager.sentinels:  # type: ignore[attr-defined]
                await sentinel_client.aclose()


def _act_as_vrooli(stack: Stack) -> None:
    for statement in (f'GRANT "vrooli" TO {ROLE}', f"ALTER ROLE {ROLE} SET role TO vrooli"):
        psql(stack.backend.folder, stack.backend.postgres.port, statement)


def _master(stack: Stack) -> Redis:
    with Redis(port=stack.backend.sentinels[0].port, decode_responses=True) as sentinel:
        _, port = sentinel.execute_command("SENTINEL", "get-master-addr-by-name", "mymaster")
    return Redis(port=int(port), password=PASSWORD)


def _end_clients(master: Redis) -> None:
    """Close every connection but this one, the replicas' and the Sentinels'."""
    mine = master.client_id()
    for client in master.client_list():
        ours = client["name"].startswith("sentinel") or "S" in client["flags"]
        if int(client["id"]) != mine and not ours:
            master.client_kill_filter(_id=client["id"])
