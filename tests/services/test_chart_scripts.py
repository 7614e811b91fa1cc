"""The chart's own test scripts, run as its pods run them, on real services."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from support.chart.rendering import render
from support.programs.backend import add_database, psql
from support.programs.processes import PATIENCE_S, wait_until
from support.programs.services import Stack, is_ready, start_service

# How long a test repeats a request here, seconds: only those that fail need so long.
LIMIT_S = 5


@pytest.fixture(scope="module")
def scripts() -> dict[str, str]:
    """The Python of each test pod, by the component that it tests."""
    objects = render({"tests": {"timeoutSeconds": LIMIT_S}})
    found = (re.fullmatch(r"Pod/demo-(?:vrooli-)?(.+)-test", key) for key in objects)
    return {
        match[1]: objects[match[0]].body["spec"]["containers"][0]["args"][0]
        for match in found
        if match
    }


def run(script: str, host: str, url: str) -> subprocess.CompletedProcess[str]:
    """Run a script on a service that listens elsewhere than in a cluster."""
    pointed, count = re.subn(rf"http://[a-z-]+-{host}:\d+", url, script)
    assert count
    return subprocess.run(
        [sys.executable, "-c", pointed], check=False, capture_output=True, text=True, timeout=300
    )


def test_each_test_passes_on_healthy_services(stack: Stack, scripts: dict[str, str]) -> None:
    """And leaves nothing behind: its post was only tried."""
    urls = {
        "server": stack.url(),
        "jobs": f"http://127.0.0.1:{stack.jobs.port}",
        "nsfw-detector": f"http://127.0.0.1:{stack.detector.port}",
    }
    for name, url in urls.items():
        done = run(scripts[name], name, url)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "ok: " in done.stdout
    count = "SELECT count(*) FROM vrooli.posts WHERE text = 'helm test'"
    assert psql(stack.backend.folder, stack.backend.postgres.port, count) == "0"


@pytest.mark.parametrize("name", ["server", "jobs"])
def test_a_test_fails_if_the_schema_is_incomplete(
    stack: Stack, scripts: dict[str, str], name: str
) -> None:
    """It says what is missing."""
    database = f"unwhole_{name}"
    add_database(stack.backend, database)
    env = {**stack.environment(), "DB_NAME": database}
    service = start_service(database, f"vrooli_{name}", stack.backend.folder, env)
    url = f"http://127.0.0.1:{service.port}"
    try:
        wait_until(lambda: is_ready(url), PATIENCE_S, "the schema is there")
        loss = "ALTER TABLE vrooli.posts DROP COLUMN confidence"
        psql(stack.backend.folder, stack.backend.postgres.port, loss, database)
        done = run(scripts[name], name, url)
        assert done.returncode == 1
        assert "schema missing: column vrooli.posts.confidence" in done.stderr
    finally:
        service.stop()


def test_the_server_test_fails_if_posts_can_not_be_stored(
    stack: Stack, scripts: dict[str, str]
) -> None:
    """Whatever its health report says: a rule of the database refuses each new row."""
    database = "refusing"
    add_database(stack.backend, database)
    env = {**stack.environment(), "DB_NAME": database}
    service = start_service(database, "vrooli_server", stack.backend.folder, env)
    url = f"http://127.0.0.1:{service.port}"
    try:
        wait_until(lambda: is_ready(url), PATIENCE_S, "the schema is there")
        rule = "ALTER TABLE vrooli.pictures ADD CHECK (length(bytes) = 0)"
        psql(stack.backend.folder, stack.backend.postgres.port, rule, database)
        assert is_ready(url)
        done = run(scripts["server"], "server", url)
        assert done.returncode == 1
        assert "store-unavailable" in done.stderr
    finally:
        service.stop()
