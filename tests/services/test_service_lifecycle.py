"""How the services start and end: before their database is there, and with work under way."""

from __future__ import annotations

import time
from functools import partial
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx

from support.browser.page import decided, health, listening, post
from support.browser.pictures import landscape
from support.programs.backend import PASSWORD, add_database, psql
from support.programs.ports import free_port
from support.programs.processes import PATIENCE_S, Running, wait_until
from support.programs.services import Stack, start_service
from vrooli_shared.schema import MIGRATIONS
from vrooli_shared.web import DRAIN_S

# Longer than servers keep an idle connection by default, seconds.
IDLE_S = 6.0


def test_a_server_stops_in_seconds_with_open_streams(stack: Stack) -> None:
    """Open streams end at SIGTERM; their pages connect to another replica."""
    server = start_service("short", "vrooli_server", stack.backend.folder, stack.environment())
    with listening(f"http://127.0.0.1:{server.port}") as page:
        assert server.stop() < DRAIN_S  # it does not wait until the streams have ended
        assert page.ended.wait(60)


def test_an_idle_connection_accepts_a_request(stack: Stack) -> None:
    """Whoever keeps connections longer than a server, as proxies do, loses what it writes."""
    server = urlsplit(stack.url())
    connection = HTTPConnection(server.hostname or "", server.port)
    connection.request("GET", "/api/posts")
    connection.getresponse().read()
    socket = connection.sock
    time.sleep(IDLE_S)
    connection.auto_open = 0
    connection.request("GET", "/api/posts")
    assert connection.getresponse().status == httpx.codes.OK
    assert connection.sock is socket
    connection.close()


def test_jobs_finish_before_the_worker_stops(stack: Stack) -> None:
    """Ten posts are waiting when the worker is told to end; all ten get their verdict."""
    ids = [post(stack.url(), f"Number {n}", landscape())["id"] for n in range(10)]
    assert stack.jobs.stop() < DRAIN_S
    stack.jobs.start()
    assert {decided(stack.url(), post_id)["state"] for post_id in ids} == {"approved"}


def test_a_server_can_start_before_its_database(stack: Stack) -> None:
    """It lives, says what is missing, and needs no restart."""
    env = {**stack.environment(), "DB_NAME": "later"}
    server = start_service("early", "vrooli_server", stack.backend.folder, env)
    url = f"http://127.0.0.1:{server.port}"
    try:
        assert httpx.get(f"{url}/healthcheck", headers={"X-Probe": "liveness"}).status_code == 200
        assert health(url)["database"]["status"] == "down"
        answer = httpx.get(f"{url}/api/posts", timeout=30)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store-unavailable")
        add_database(stack.backend, "later")
        wait_until(
            lambda: health(url)["database"]["status"] == "up", PATIENCE_S, "the schema is there"
        )
        assert httpx.get(f"{url}/api/posts", timeout=30).status_code == 200
    finally:
        server.stop()


def test_concurrent_servers_migrate_an_empty_database(stack: Stack) -> None:
    """One of them applies each migration, the others find it done."""
    add_database(stack.backend, "crowd")
    env = {**stack.environment(), "DB_NAME": "crowd"}
    folder = stack.backend.folder
    servers = [start_service(f"crowd-{n}", "vrooli_server", folder, env) for n in range(3)]
    try:
        for server in servers:
            url = f"http://127.0.0.1:{server.port}"
            wait_until(partial(_has_schema, url), PATIENCE_S, "the schema is there")
            # It sees the schema of another one before its own migration has ended.
            wait_until(partial(_has_migrated, server), PATIENCE_S, "its migration has ended")
    finally:
        for server in servers:
            server.stop()
    count = "SELECT count(*) FROM vrooli.migrations"
    assert psql(folder, stack.backend.postgres.port, count, "crowd") == str(len(MIGRATIONS))
    all_of_them = ", ".join(name for name, _ in MIGRATIONS)
    assert sum(f"applied now: {all_of_them}" in server.log for server in servers) == 1
    assert sum("applied now: nothing" in server.log for server in servers) == 2


def test_a_wrong_password_is_reported_but_not_printed(stack: Stack) -> None:
    """Neither the wrong one nor the right one stands in any log."""
    wrong = "wrong-password-of-this-test"
    env = {**stack.environment(), "DB_PASSWORD": wrong, "REDIS_PASSWORD": wrong}
    server = start_service("wrong", "vrooli_server", stack.backend.folder, env)
    try:
        url = f"http://127.0.0.1:{server.port}"
        wait_until(
            lambda: "can't be brought up to date" in server.log, PATIENCE_S, "the failure is told"
        )
        assert health(url)["redis"]["status"] == "down"
    finally:
        server.stop()
    logs = [service.log for service in (server, stack.jobs, stack.detector, *stack.servers)]
    assert not any(secret in log for log in logs for secret in (wrong, PASSWORD))


def test_jobs_without_a_detector_pass_their_probes(stack: Stack) -> None:
    """A detector at an address where nobody is, from the start."""
    env = {**stack.environment(), "NSFW_DETECTOR_URL": f"http://127.0.0.1:{free_port()}"}
    jobs = start_service("lonely", "vrooli_jobs", stack.backend.folder, env)
    try:
        report = health(f"http://127.0.0.1:{jobs.port}")
        assert report["status"] == "up"
        assert report["services"]["nsfw-detector"]["status"] == "down"
    finally:
        jobs.stop()


def _has_migrated(server: Running) -> bool:
    return "applied now: " in server.log


def _has_schema(url: str) -> bool:
    return bool(health(url)["database"]["status"] == "up")
