"""The addresses on which the services listen: those of both families."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time

import httpx
import pytest

from support.programs.ports import free_port
from vrooli import project

ROOT = project.root()
SERVICES = ROOT / "services"
STARTUPS = (
    *SERVICES.glob("*/*/__main__.py"),
    *SERVICES.glob("*/Containerfile"),
    SERVICES / "shared/vrooli_shared/web.py",
    SERVICES / "ui/package.json",
    *ROOT.glob("images/*/Containerfile"),
    ROOT / "src/vrooli/vault/openbao.hcl",
)
PROGRAM = """
import sys
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from vrooli_shared import web
web.serve(Starlette(routes=[Route("/", lambda _: PlainTextResponse("ok"))]), int(sys.argv[1]))
"""


def _has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_service_answers_in_both_address_families(host: str) -> None:
    """The kubelet probes a pod's first address, which is IPv6 in an IPv6-only cluster."""
    if host == "[::1]" and not _has_ipv6():
        pytest.skip("this host has no IPv6 loopback address")
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(port)], cwd=SERVICES / "shared"
    ) as server:
        try:
            assert _answer(f"http://{host}:{port}/") == "ok"
        finally:
            server.terminate()


def _answer(url: str) -> str:
    for _ in range(100):
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(url, trust_env=False).text
        time.sleep(0.1)
    return ""


def test_no_service_listens_on_ipv4_only() -> None:
    """An address of one family in a start command excludes pods of the other."""
    lines = [line for path in STARTUPS for line in path.read_text().splitlines()]
    ipv4 = "0.0.0.0"  # noqa: S104 - searched for, not bound
    assert [line for line in lines if ipv4 in line and "[::]" not in line] == []
