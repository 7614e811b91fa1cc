"""What a cluster is made of: its names, numbers and places. No I/O but its own record."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from vrooli.errors import UsageError

# One name for each place that others see: a cgroup, a node, a log line.
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,29}[a-z0-9])?")
# A Unix socket's address holds 108 bytes (unix(7)); containerd appends ".ttrpc" to ours.
SOCKET_PATH_LIMIT = 100

# Inside a cluster's network namespace; nobody outside sees them, so all clusters use the same.
POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
API_SERVICE_IP = "10.96.0.1"
DNS_SERVICE_IP = "10.96.0.10"
CLUSTER_DOMAIN = "cluster.local"
API_PORT_INSIDE = 6443
HTTP_PORT_INSIDE = 80
HTTPS_PORT_INSIDE = 443

# Where a person finds a cluster on 127.0.0.1, unless told otherwise.
DEFAULT_PORTS = {"api": 26443, "http": 28080, "https": 28443}
# Each cluster takes one /30 of it for the cable between the host and its namespace.
DEFAULT_CABLES = "10.213.0.0/16"
CABLE_PREFIX = 30


@dataclass(frozen=True)
class Settings:
    """What a person can choose.

    Attributes:
        ports: The ports on 127.0.0.1 by name (api, http, https); 0 takes any free one, a missing
            one stays as it was or takes the default.
        cables: The range that the cables' addresses are taken from.
        durable: Whether etcd waits for the disk; only throw-away clusters do without.
    """

    ports: Mapping[str, int] = field(default_factory=dict)
    cables: str = DEFAULT_CABLES
    durable: bool = True


@dataclass(frozen=True)
class AddonImages:
    """The names of the images that the cluster itself runs, and the archive that holds them."""

    archive: Path
    pause: str = "localhost/vrooli/pause:1"
    coredns: str = "localhost/vrooli/coredns:1.15.0"
    traefik: str = "localhost/vrooli/traefik:3.6.12"
    metrics_server: str = "localhost/vrooli/metrics-server:0.9.0"
    local_path_provisioner: str = "localhost/vrooli/local-path-provisioner:0.0.30"
    base: str = "localhost/vrooli/base:12"


@dataclass(frozen=True)
class Cable:
    """The veth pair between the host and a cluster's network namespace.

    Attributes:
        index: Which /30 of the range it has.
        host_link: The host's end.
        host_ip: The host end's address.
        node_ip: The node's address, on the other end.
    """

    index: int
    host_link: str
    host_ip: str
    node_ip: str

    @classmethod
    def at(cls, cables: str, index: int) -> Cable:
        """The cable with that index in the range of all cables."""
        base = ipaddress.ip_network(cables).network_address + 4 * index
        return cls(index, f"vrooli{index}", str(base + 1), str(base + 2))

    @property
    def network(self) -> ipaddress.IPv4Network:
        """The addresses that it takes."""
        return ipaddress.IPv4Network(f"{self.host_ip}/{CABLE_PREFIX}", strict=False)


@dataclass(frozen=True)
class Layout:
    """Where the files of one cluster are. All of them are below ``root``."""

    root: Path

    @classmethod
    def of(cls, state_dir: Path, name: str) -> Layout:
        """The places of the cluster with that name.

        Raises:
            UsageError: The name or the folder can't be used.
        """
        if not NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} can't be a cluster's name.",
                "Use at most 31 lower-case letters, digits and dashes.",
            )
        layout = cls(state_dir.resolve() / "clusters" / name)
        if len(str(layout.containerd_socket)) > SOCKET_PATH_LIMIT:
            raise UsageError(
                f"The state folder {state_dir} has too long a path for Unix sockets.",
                "Set VROOLI_STATE_DIR to a shorter one.",
            )
        return layout

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.root.name

    @property
    def lock(self) -> Path:
        """Held by whoever changes the cluster; beside it, since delete removes the rest."""
        return self.root.with_name(f".{self.name}.lock")

    @property
    def identity(self) -> str:
        """What marks the cluster's cgroup and cable: unlike its name, unique on the host.

        Two state folders may each hold a cluster of the same name.
        """
        place = hashlib.sha256(str(self.root).encode()).hexdigest()[:6]
        return f"vrooli-{self.name}-{place}"

    @property
    def node(self) -> str:
        """The node's name."""
        return f"vrooli-{self.name}"

    @property
    def pki(self) -> Path:
        """Certificates and keys; 0700."""
        return self.root / "pki"

    @property
    def etcd(self) -> Path:
        """The API's objects."""
        return self.root / "etcd"

    @property
    def containerd(self) -> Path:
        """Images and containers."""
        return self.root / "containerd"

    @property
    def kubelet(self) -> Path:
        """The kubelet's own state and the pods' volumes."""
        return self.root / "kubelet"

    @property
    def storage(self) -> Path:
        """What persistent volumes hold."""
        return self.root / "storage"

    @property
    def config(self) -> Path:
        """The components' settings, written anew at each start."""
        return self.root / "config"

    @property
    def logs(self) -> Path:
        """One log for each component, and the pods' logs."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """What lasts only while the cluster runs."""
        return self.root / "run"

    @property
    def kubeconfig(self) -> Path:
        """What clients on the host use; 0600."""
        return self.root / "kubeconfig"

    @property
    def record(self) -> Path:
        """What was chosen for the cluster."""
        return self.root / "cluster.json"

    @property
    def status(self) -> Path:
        """What the supervisor last said."""
        return self.run / "status.json"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the supervisor for as long as it lives."""
        return self.run / "supervisor.lock"

    @property
    def netns(self) -> Path:
        """The network namespace's handle; only the supervisor's own mounts show it."""
        return self.run / "netns"

    @property
    def containerd_socket(self) -> Path:
        """Where containerd answers."""
        return self.run / "containerd.sock"

    def log(self, component: str) -> Path:
        """The log of a component."""
        return self.logs / f"{component}.log"


@dataclass(frozen=True)
class Record:
    """What was chosen for a cluster, kept in its cluster.json.

    Attributes:
        index: Its cable's number.
        cables: The range of all cables.
        ports: Its ports on 127.0.0.1.
        durable: Whether etcd waits for the disk.
        programs: The programs that it runs, by name.
        images: The images of its add-ons, by name.
    """

    index: int
    cables: str
    ports: Mapping[str, int]
    durable: bool
    programs: Mapping[str, str]
    images: Mapping[str, str]

    @property
    def cable(self) -> Cable:
        """Its cable."""
        return Cable.at(self.cables, self.index)

    def program(self, name: str) -> str:
        """The path of one of its programs."""
        return self.programs[name]

    def write(self, path: Path) -> None:
        """Keep it, all or nothing."""
        write_whole(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """What was kept, or None before the first start.

        Raises:
            UsageError: The file is damaged.
        """
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"{path} is damaged: {error}", "Delete the cluster and start it anew."
            ) from error


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that readers see the old or the new one, never a part."""
    part = path.with_name(f".{path.name}.part")
    part.touch(mode=mode)
    part.chmod(mode)
    part.write_text(text)
    part.replace(path)


def with_programs(record: Record, programs: Mapping[str, Path]) -> Record:
    """The record with other programs."""
    return replace(record, programs={name: str(path) for name, path in programs.items()})
