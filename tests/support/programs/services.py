"""The reference services as processes on loopback, over a real backend."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from support.programs.backend import Backend, running_backend
from support.programs.ports import free_port
from support.programs.processes import PATIENCE_S, Running, wait_until

SERVICES = Path(__file__).resolve().parents[3] / "services"


@dataclass
class Stack:
    """The services and what they stand on; two servers, since live events must cross them."""

    backend: Backend
    detector: Running
    jobs: Running
    servers: list[Running]

    def url(self, server: int = 0) -> str:
        """The address of one of the servers."""
        return f"http://127.0.0.1:{self.servers[server].port}"

    def environment(self) -> dict[str, str]:
        """What one more service of this stack gets."""
        detector = f"http://127.0.0.1:{self.detector.port}"
        return {**self.backend.environment(), "NSFW_DETECTOR_URL": detector}


def start_service(name: str, module: str, folder: Path, env: dict[str, str]) -> Running:
    """Start ``python -m module`` on a free port."""
    port = free_port()
    paths = [
        SERVICES / "shared",
        SERVICES / "server",
        SERVICES / "jobs",
        SERVICES / "nsfw-detector",
        SERVICES.parent / "tests",
    ]
    settings = {"PORT": str(port), "PYTHONPATH": ":".join(str(path) for path in paths)}
    return Running(name, [sys.executable, "-m", module], port, folder, {**env, **settings}).start()


@contextmanager
def running_stack() -> Iterator[Stack]:
    """Start everything, wait until the server says that all is up, stop it after the block."""
    with ExitStack() as stack:
        backend = stack.enter_context(running_backend())
        env, started = backend.environment(), []

        def start(name: str, module: str, env: dict[str, str]) -> Running:
            service = start_service(name, module, backend.folder, env)
            stack.callback(service.stop)
            started.append(service)
            return service

        # A harmless label counts, so that a drawn face is refused by the real model.
        detector = start("detector", "vrooli_detector", {"DETECTOR_LABELS": "FACE_FEMALE"})
        servers = [start(f"server-{number}", "vrooli_server", env) for number in range(2)]
        env["NSFW_DETECTOR_URL"] = f"http://127.0.0.1:{detector.port}"
        jobs = start("jobs", "support.programs.frequent_jobs", env)
        running = Stack(backend, detector, jobs, servers)
        for number in range(2):
            wait_until(partial(is_ready, running.url(number)), PATIENCE_S, "the server is ready")
        yield running


def is_ready(url: str) -> bool:
    """Whether the service at the address says that it is ready."""
    return httpx.get(f"{url}/healthcheck", timeout=30).status_code == httpx.codes.OK
