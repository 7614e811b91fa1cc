"""What is added to the environment before a command runs."""

from __future__ import annotations

import os
import subprocess
import sys

import httpx
import pytest
import requests

from vrooli.cli import process_environment

PROXY = "http://127.0.0.1:9"


def test_the_path_of_su_gets_the_folders_of_system_programs_at_its_end() -> None:
    environment = {"PATH": "/mine:/usr/bin:/bin"}
    process_environment.complete(environment)
    path = "/mine:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin"
    assert environment["PATH"] == path
    process_environment.complete(environment)
    assert environment["PATH"] == path


@pytest.mark.parametrize(
    ("given", "becomes"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "corp.example, localhost"}, "corp.example,localhost,127.0.0.1"),
        ({"no_proxy": "a.example", "NO_PROXY": "b.example"}, "a.example,127.0.0.1,localhost"),
    ],
)
def test_what_requires_no_proxy_retains_its_hosts_and_gets_this_one(
    given: dict[str, str], becomes: str
) -> None:
    environment = dict(given)
    process_environment.complete(environment)
    assert environment["no_proxy"] == environment["NO_PROXY"] == becomes


def test_where_nothing_is_deleted_through_a_proxy_it_stays_so() -> None:
    environment = {"no_proxy": "*"}
    process_environment.complete(environment)
    assert environment["no_proxy"] == "*"


def test_clients_reach_this_host_past_the_proxy_and_other_users_through_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", os.environ["PATH"])
    for name in process_environment.NO_PROXY:
        monkeypatch.setenv(name, "")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, PROXY)
    process_environment.complete()
    assert requests.utils.get_environ_proxies("http://127.0.0.1:8200") == {}
    assert requests.utils.get_environ_proxies("http://vault.example:8200")["http"] == PROXY
    with httpx.Client() as client:
        ours = client._transport_for_url(httpx.URL("https://127.0.0.1:26443/api"))
        theirs = client._transport_for_url(httpx.URL("https://api.example/api"))
    assert ours is client._transport
    assert theirs is not client._transport


def test_the_command_begins_with_it() -> None:
    script = (
        "import os, sys; sys.argv = ['vrooli', '--version']\n"
        "from vrooli.cli.app import main\n"
        "try:\n    main()\nfinally:\n    print(os.environ['PATH'], os.environ['no_proxy'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert "/usr/sbin" in done.stdout
    assert "127.0.0.1" in done.stdout
