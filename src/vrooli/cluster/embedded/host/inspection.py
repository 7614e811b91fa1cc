"""Detects the features of the host, once; all other functions are pure.

The cluster's settings are the same on every host, except for features that this host lacks.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from vrooli.cluster.embedded.host import inotify
from vrooli.cluster.embedded.host.inotify import Inotify
from vrooli.errors import PrerequisiteError
from vrooli.process import run

GIB = 1024**3
# Disk space for images, etcd and the volumes of a small database; Vrooli's own release needs 4 GiB.
MINIMUM_DISK_BYTES = 6 * GIB
# The controllers that the kubelet requires of cgroup v1 (its cgroup_v1_manager) and of v2.
NEEDED_V1 = frozenset({"cpu", "cpuacct", "cpuset", "memory", "pids"})
NEEDED_V2 = frozenset({"cpu", "cpuset", "memory", "pids"})
# Bits of capabilities(7).
CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SYS_RESOURCE = 12, 21, 24
NEEDED_CAPABILITIES = {CAP_NET_ADMIN: "CAP_NET_ADMIN", CAP_SYS_ADMIN: "CAP_SYS_ADMIN"}
# Required programs of the distribution, and the Debian package of each.
PROGRAMS = {
    "nft": "nftables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "mount": "mount",
}
# Kernel modules to load: programs use them without loading them.
MODULES = ("overlay", "br_netfilter", "nf_tables", "nf_conntrack")


@dataclass(frozen=True)
class Host:
    """The features of a host.

    Attributes:
        linux: Whether it runs Linux.
        root: Whether the user is root.
        capabilities: The effective capabilities, a bit set.
        v1: The mount point of each cgroup v1 hierarchy, by controller.
        v2: The mount point of cgroup v2, if there is one.
        v2_controllers: The controllers of the v2 hierarchy.
        kmsg: Whether the kernel's log can be read.
        overlayfs: Whether overlayfs works in the state folder.
        bridge_netfilter: Whether the Service rules apply to packets that a bridge forwards.
        apparmor: Whether AppArmor profiles can be loaded.
        swap: Whether swap is enabled.
        free_bytes: The free space on the state folder's disk.
        missing_programs: Those of PROGRAMS that are not installed.
        inotify: The limits of inotify.
    """

    linux: bool = True
    root: bool = True
    capabilities: int = 0
    v1: MappingProxyType[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    v2: Path | None = None
    v2_controllers: frozenset[str] = frozenset()
    kmsg: bool = True
    overlayfs: bool = True
    bridge_netfilter: bool = True
    apparmor: bool = False
    swap: bool = False
    free_bytes: int = 0
    missing_programs: tuple[str, ...] = ()
    inotify: Inotify = field(default_factory=Inotify)

    @property
    def cgroup_v1(self) -> bool:
        """Whether the controllers are those of cgroup v1, alone or with an unused v2."""
        return "memory" in self.v1

    @property
    def can_raise_limits(self) -> bool:
        """Whether out-of-memory scores can be lowered and resource limits raised."""
        return has_capability(self.capabilities, CAP_SYS_RESOURCE)


def has_capability(capabilities: int, bit: int) -> bool:
    """Whether a capability is in the set."""
    return bool(capabilities >> bit & 1)


def parse_capabilities(status: str) -> int:
    """The effective capabilities in the text of /proc/<pid>/status."""
    for line in status.splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def parse_cgroups(mountinfo: str) -> tuple[dict[str, Path], Path | None]:
    """The hierarchies in the text of /proc/<pid>/mountinfo: v1's by controller, and v2's."""
    v1: dict[str, Path] = {}
    v2: Path | None = None
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        point, kind = Path(before.split()[4]), after.split()[0]
        if kind == "cgroup2":
            v2 = v2 or point
        elif kind == "cgroup":
            options = after.split()[2].split(",")
            for option in options:
                if option not in ("rw", "ro", "xattr", "clone_children", "noprefix"):
                    v1.setdefault(option.removeprefix("name="), point)
    return v1, v2


def missing_requirements(host: Host) -> list[str]:
    """The reasons why this host cannot run a cluster; empty if it can."""
    if not host.linux:
        return ["The embedded cluster needs Linux."]
    if not host.root:
        return ["The embedded cluster needs root: run the command with sudo."]
    messages = [
        f"The capability {name} is missing: give it to this container or user."
        for bit, name in NEEDED_CAPABILITIES.items()
        if not has_capability(host.capabilities, bit)
    ]
    messages += [
        f"The program {program} is missing: install the package {PROGRAMS[program]}."
        for program in host.missing_programs
    ]
    controllers = NEEDED_V1 - host.v1.keys() if host.cgroup_v1 else NEEDED_V2 - host.v2_controllers
    if controllers:
        messages.append(
            f"The cgroup controllers {', '.join(sorted(controllers))} are missing: "
            "mount or enable them below /sys/fs/cgroup."
        )
    if not host.kmsg:
        messages.append(
            "/dev/kmsg is missing: pass it into this container (`ln -s /dev/console /dev/kmsg` "
            "also does)."
        )
    if host.free_bytes < MINIMUM_DISK_BYTES:
        messages.append(
            f"The disk of the cluster's state has {host.free_bytes / GIB:.1f} GiB free, "
            f"{MINIMUM_DISK_BYTES / GIB:.0f} GiB are required: free some space, or set "
            "VROOLI_STATE_DIR to a folder on another disk."
        )
    return [*messages, *host.inotify.missing()]


def require(host: Host) -> None:
    """Check that the host can run a cluster.

    Raises:
        PrerequisiteError: It cannot; the message lists everything that is missing.
    """
    messages = missing_requirements(host)
    if messages:
        raise PrerequisiteError("This host can't run the embedded cluster.", "\n".join(messages))


async def load_modules() -> None:
    """Load the available kernel modules that a cluster uses; they remain loaded."""
    if shutil.which("modprobe") is not None:
        await run(["modprobe", "--all", "--quiet", *MODULES], check=False)


def probe(state_dir: Path) -> Host:
    """Inspect this host; the disk is that of ``state_dir`` or its nearest existing parent."""
    if sys.platform != "linux":
        return Host(linux=False)
    folder = _nearest_existing(state_dir)
    v1, v2 = parse_cgroups(_read_text(Path("/proc/self/mountinfo")))
    swaps = _read_text(Path("/proc/swaps")).splitlines()
    return Host(
        root=os.geteuid() == 0,
        capabilities=parse_capabilities(_read_text(Path("/proc/self/status"))),
        v1=MappingProxyType(v1),
        v2=v2,
        v2_controllers=frozenset(_read_text(v2 / "cgroup.controllers").split())
        if v2
        else frozenset(),
        kmsg=os.access("/dev/kmsg", os.R_OK),
        overlayfs=_overlayfs(folder),
        bridge_netfilter=Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists(),
        apparmor=Path("/sys/kernel/security/apparmor/profiles").exists()
        and shutil.which("apparmor_parser") is not None,
        swap=len(swaps) > 1,
        free_bytes=shutil.disk_usage(folder).free,
        missing_programs=tuple(name for name in PROGRAMS if shutil.which(name) is None),
        inotify=inotify.probe(),
    )


def _nearest_existing(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.parents) if parent.exists())


def _read_text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _overlayfs(folder: Path) -> bool:
    """Whether the kernel has overlayfs, and the folder is not on one: they cannot be nested."""
    is_supported = "overlay" in _read_text(Path("/proc/filesystems"))
    point, kind = Path("/"), ""
    for line in _read_text(Path("/proc/self/mountinfo")).splitlines():
        before, _, after = line.partition(" - ")
        mounted = Path(before.split()[4])
        if folder.resolve().is_relative_to(mounted) and mounted.is_relative_to(point):
            point, kind = mounted, after.split()[0]
    return is_supported and kind != "overlay"
