"""What a cluster leaves on the host: processes, mounts, links, rules, settings, cgroups, files.

Other clusters may run meanwhile, so what is plainly theirs is left out; all else counts.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from pathlib import Path

from vrooli.cluster.embedded.host.cgroups import hierarchies
from vrooli.cluster.embedded.host.inspection import probe
from vrooli.cluster.embedded.layout import Layout

IDENTITY = re.compile(r"vrooli-[-a-z0-9]+-[0-9a-f]{6}")
# Image builders mount and unmount while tests run; clusters never do so there.
BUILDERS = ("/containers/storage", "/images/store", "/buildah")
# What a cluster sets for itself, in a network namespace of its own.
SETTINGS = ("ipv4/ip_forward", "ipv4/conf/all/rp_filter", "bridge/*")
# Where programs of a cluster would write if they weren't told otherwise.
SYSTEM_FOLDERS = ("/etc", "/opt", "/run", "/var/lib", "/var/log")

Footprint = dict[str, set[str]]


def footprint(layout: Layout) -> Footprint:
    """Everything on the host that could be the cluster's."""
    return {
        "processes": _processes(layout),
        "mounts": {line for line in _mounts() if not any(word in line for word in BUILDERS)},
        "links": _links(layout),
        "network namespaces": _network_namespaces(layout),
        "firewall rules": set(_run("nft", "list", "ruleset").splitlines()),
        "sets of addresses": set(_run("ipset", "list", "-name").splitlines()),
        "kernel settings": _settings(),
        "cgroups": {
            str(path)
            # Clusters make theirs at the top; deeper ones come and go with others' processes.
            for point in hierarchies(probe(layout.root))
            for path in point.glob("*/")
            if not _others(layout, str(path))
        },
        "the cluster's folder": {str(path) for path in (layout.root, layout.lock) if path.exists()},
        "system folders": {
            str(path) for folder in SYSTEM_FOLDERS for path in Path(folder).glob("*")
        },
    }


def leftovers(before: Footprint, after: Footprint) -> dict[str, set[str]]:
    """What is there after and wasn't before, or the other way round."""
    return {kind: before[kind] ^ after[kind] for kind in before if before[kind] != after[kind]}


def processes_of(layout: Layout) -> set[str]:
    """The cluster's processes, as process id and command line."""
    return _processes(layout)


def _processes(layout: Layout) -> set[str]:
    result = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it just ended
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if not words:  # it has ended, and the host's init will soon take note of it
                continue
            if layout.identity in (folder / "cgroup").read_text() or f"{layout.root}/" in words:
                result.add(f"{folder.name} {words}")
    return result


def _mounts() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    # Without the mount's and its parent's number.
    return [" ".join(line.split()[2:]) for line in lines]


def _links(layout: Layout) -> set[str]:
    links = json.loads(_run("ip", "-j", "link"))
    aliases = {link["ifname"]: link.get("ifalias", "") for link in links}
    return {name for name, alias in aliases.items() if not _others(layout, alias)}


def _network_namespaces(layout: Layout) -> set[str]:
    result = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if not _others(layout, (folder / "cgroup").read_text()):
                result.add(str((folder / "ns" / "net").readlink()))
    return result | {str(path) for path in Path("/run/netns").glob("*")}


def _settings() -> set[str]:
    files = [file for pattern in SETTINGS for file in Path("/proc/sys/net").glob(pattern)]
    return {f"{file} = {file.read_text().strip()}" for file in files}


def _others(layout: Layout, text: str) -> bool:
    return any(name != layout.identity for name in IDENTITY.findall(text))


def _run(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout
