"""A cluster's record and place, and hosts that lack this or that."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from vrooli.cluster.embedded.components.catalog import PROGRAMS
from vrooli.cluster.embedded.host.inspection import NEEDED_V2, Host
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.settings import DEFAULT_HOST_CIDR, Record

EVERYTHING = (1 << 41) - 1
V1 = MappingProxyType(
    {
        name: Path("/sys/fs/cgroup") / name
        for name in ("cpu", "cpuacct", "cpuset", "memory", "pids", "systemd")
    }
)

# An ordinary current host, and an old and constrained one.
MODERN = Host(
    capabilities=EVERYTHING,
    v2=Path("/sys/fs/cgroup"),
    v2_controllers=NEEDED_V2,
    apparmor=True,
    free_bytes=1 << 40,
)
CONSTRAINED = Host(
    capabilities=EVERYTHING & ~(1 << 24),
    v1=V1,
    overlayfs=False,
    bridge_netfilter=False,
    swap=True,
    free_bytes=1 << 40,
)


def layout(tmp_path: Path, name: str = "one") -> Layout:
    """A cluster's place."""
    return Layout(tmp_path / "clusters" / name)


def record(**changes: object) -> Record:
    """A cluster's record."""
    settings = {
        "index": 3,
        "host_cidr": DEFAULT_HOST_CIDR,
        "ports": {"api": 1001, "http": 1002, "https": 1003},
        "durable": True,
        "programs": {name: f"/programs/{name}" for name in PROGRAMS},
        "images": {"pause": "localhost/vrooli/pause:1"},
    }
    return Record(**(settings | changes))  # type: ignore[arg-type]
