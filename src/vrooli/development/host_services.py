"""The services that can run on this host: their programs, and the environment that they get."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from vrooli.development.listeners import LOOPBACK
from vrooli.development.overlay import PROGRAMS, VITE_ENVIRONMENT
from vrooli.development.services import EDITED_SERVICES, EditedService, folder
from vrooli.errors import UsageError

# The services that can run on this host, and the port of the debugger of each; the detector's
# packages and its model are those of its image.
DEBUG_PORTS = {"server": 5678, "jobs": 5679, "ui": 0}
NAMES = tuple(DEBUG_PORTS)
LAUNCHER = Path(__file__).parent / "launcher.py"
SUPERVISOR = PROGRAMS / "supervisor.py"
DEBUGGED = Path(__file__).parent / "debugged.py"
VITE = "node_modules/vite/bin/vite.js"
# Vite opens a file in an editor for whoever sends a request, and requests come through the Ingress.
NO_EDITOR = {"LAUNCH_EDITOR": "true"}
# The variables of this process that a service gets, too; all others are those of its pod.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TERM", "TMPDIR", "USER")


@dataclass(frozen=True)
class HostService:
    """A service that runs on this host.

    Attributes:
        edited: The service.
        port: Its port on the loopback interface.
        debug_port: The port of its debugger; 0 if it has none.
    """

    edited: EditedService
    port: int
    debug_port: int

    @property
    def name(self) -> str:
        """The name of its component."""
        return self.edited.name

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def debugger(self) -> str:
        """The address of its debugger; empty if it has none."""
        return f"{LOOPBACK}:{self.debug_port}" if self.debug_port else ""

    @property
    def work_folder(self) -> Path:
        """The folder of its sources, in which it runs."""
        return folder() / self.name

    def source_folders(self) -> list[Path]:
        """The folders whose changes start it again; none if it reads changed files itself."""
        if not self.edited.module:
            return []
        return [folder() / source for _, source in self.edited.sources]

    @property
    def is_reloadable(self) -> bool:
        """Whether SIGHUP starts it again: without a debugger, where Python has `sigtimedwait`."""
        return bool(self.edited.module) and not self.debug_port and sys.platform == "linux"

    def argv(self, node: str, state: str) -> list[str]:
        """Its program, which ends with this process.

        Args:
            node: The program Node.js.
            state: A folder of its own.
        """
        launcher = [sys.executable, str(LAUNCHER)]
        if not self.edited.module:
            options = ["--host", LOOPBACK, "--strictPort", "--port", str(self.port)]
            return [*launcher, node, VITE, *options]
        if self.is_reloadable:
            supervised = [str(SUPERVISOR), state, self._python_path(), self.edited.module]
            return [*launcher, sys.executable, *supervised]
        if not self.debug_port:
            return [*launcher, sys.executable, "-P", "-m", self.edited.module]
        debugged = ["-Xfrozen_modules=off", str(DEBUGGED), str(self.debug_port)]
        return [*launcher, sys.executable, *debugged, self.edited.module]

    def environment(self, of_pod: Mapping[str, str]) -> dict[str, str]:
        """Its environment: the variables of its pod, and a few of this host."""
        result = {name: os.environ[name] for name in INHERITED if name in os.environ}
        result |= {**of_pod, "PORT": str(self.port), "LISTEN_ADDRESS": LOOPBACK}
        if not self.edited.module:
            return result | VITE_ENVIRONMENT | NO_EDITOR
        return result | {
            "PYTHONPATH": self._python_path(),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }

    def _python_path(self) -> str:
        """The folders of its packages."""
        paths = {str((folder() / source).parent) for _, source in self.edited.sources}
        return os.pathsep.join(sorted(paths))


def choose(names: list[str], *, debugger: bool = False) -> list[HostService]:
    """The named services, with ports that are free.

    Args:
        names: Their names.
        debugger: Whether editors can attach to those of Python.

    Raises:
        UsageError: A name is unknown.
    """
    for name in names:
        if name not in NAMES:
            raise UsageError(
                f"{name!r} cannot run on this host.", f"Use one or more of: {', '.join(NAMES)}."
            )
    by_name = {item.name: item for item in EDITED_SERVICES}
    ports = {"server": 5329, "jobs": 4001, "ui": 5173}
    return [
        HostService(
            by_name[name],
            free_port(ports[name]),
            free_port(DEBUG_PORTS[name]) if debugger and DEBUG_PORTS[name] else 0,
        )
        for name in dict.fromkeys(names)
    ]


def free_port(usual: int) -> int:
    """A port of the loopback interface that is free: the usual one, or any."""
    for port in (usual, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise UsageError("No port of the loopback interface is free.", "End some programs.")


def connected(of_pod: Mapping[str, str], tunnels: Mapping[str, int]) -> dict[str, str]:
    """The variables of a pod with the addresses of tunnels in place of those in the cluster.

    Args:
        of_pod: The variables.
        tunnels: The ports of the tunnels on this host: postgres, redis, detector.
    """
    result = dict(of_pod)
    if "postgres" in tunnels:
        result |= {"DB_HOST": LOOPBACK, "DB_PORT": str(tunnels["postgres"])}
    if "redis" in tunnels:
        # Sentinel would answer with the address of a pod. The tunnel ends at the master.
        result.pop("REDIS_SENTINEL_HOSTS", None)
        result["REDIS_URL"] = f"redis://{LOOPBACK}:{tunnels['redis']}/0"
    if "detector" in tunnels:
        path = urlsplit(result["NSFW_DETECTOR_URL"]).path
        result["NSFW_DETECTOR_URL"] = f"http://{LOOPBACK}:{tunnels['detector']}{path}"
    return result
