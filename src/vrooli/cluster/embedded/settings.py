"""The settings of a cluster: options, the saved record, and fixed numbers."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from vrooli.cluster.embedded.layout import Layout
from vrooli.errors import UsageError
from vrooli.files import write_atomically
from vrooli.trust import require_trusted

# Inside a cluster's network namespace; not visible outside, so all clusters use the same values.
POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
API_SERVICE_IP = "10.96.0.1"
DNS_SERVICE_IP = "10.96.0.10"
CLUSTER_DOMAIN = "cluster.local"
# The bridge device of the pods.
BRIDGE = "cni0"
# The node's device of the link to the host.
LINK = "eth0"
API_PORT_INSIDE = 6443
# In the NodePort range that the API server does not assign automatically ("avoiding collisions" in
# the documentation of Service): below 30086.
HTTP_PORT_INSIDE = 30080
HTTPS_PORT_INSIDE = 30043
INSIDE = {"api": API_PORT_INSIDE, "http": HTTP_PORT_INSIDE, "https": HTTPS_PORT_INSIDE}

# The default ports of a cluster on 127.0.0.1.
DEFAULT_PORTS = {"api": 26443, "http": 28080, "https": 28443}
# Each cluster uses one /30 of it for the link between the host and its namespace.
DEFAULT_HOST_CIDR = "10.213.0.0/16"
LINK_PREFIX = 30
# The index of a cluster that has no link yet.
UNASSIGNED = -1


@dataclass(frozen=True)
class Settings:
    """The options of a cluster.

    Attributes:
        ports: The ports on 127.0.0.1 by name (api, http, https); 0 takes any free one, a missing
            one stays as it was or takes the default.
        host_cidr: The range of the host links' addresses; by default the saved one, else the
            standard one. The variable VROOLI_HOST_CIDR sets it, too.
        durable: Whether etcd and containerd sync to the disk; temporary clusters need not.
    """

    ports: Mapping[str, int] = field(default_factory=dict)
    host_cidr: str | None = field(
        default_factory=lambda: os.environ.get("VROOLI_HOST_CIDR") or None
    )
    durable: bool = True

    def __post_init__(self) -> None:
        """Reject invalid options.

        Raises:
            UsageError: An unknown port, or a range that is too small for one link.
        """
        unknown = self.ports.keys() - DEFAULT_PORTS.keys()
        if unknown:
            raise UsageError(
                f"An embedded cluster has no port {', '.join(sorted(unknown))}.",
                f"Choose from {', '.join(DEFAULT_PORTS)}.",
            )
        if self.host_cidr is not None and not _is_large_enough(self.host_cidr):
            raise UsageError(
                f"{self.host_cidr!r} is not a range for host links.",
                f"Name an IPv4 network of /{LINK_PREFIX} or larger, such as {DEFAULT_HOST_CIDR}.",
            )


def _is_large_enough(text: str) -> bool:
    try:
        return ipaddress.IPv4Network(text).prefixlen <= LINK_PREFIX
    except ValueError:
        return False


@dataclass(frozen=True)
class AddonImages:
    """The names of the add-ons' images, and the archive that contains them."""

    archive: Path
    pause: str = "localhost/vrooli/pause:1"
    coredns: str = "localhost/vrooli/coredns:1.15.0"
    traefik: str = "localhost/vrooli/traefik:3.6.19"
    metrics_server: str = "localhost/vrooli/metrics-server:0.9.0"
    local_path_provisioner: str = "localhost/vrooli/local-path-provisioner:0.0.30"
    base: str = "localhost/vrooli/base:12"


@dataclass(frozen=True)
class HostLink:
    """The veth pair between the host and a cluster's network namespace.

    Attributes:
        index: Which /30 of the range it has.
        host_interface: The name of the host's interface.
        host_ip: The address of the host's interface.
        node_ip: The node's address, on the other side.
    """

    index: int
    host_interface: str
    host_ip: str
    node_ip: str

    @classmethod
    def at(cls, host_cidr: str, index: int) -> HostLink:
        """The link with that index in the range of all links."""
        base = ipaddress.ip_network(host_cidr).network_address + 4 * index
        return cls(index, f"vrooli{index}", str(base + 1), str(base + 2))

    @property
    def network(self) -> ipaddress.IPv4Network:
        """The network of its addresses."""
        return ipaddress.IPv4Network(f"{self.host_ip}/{LINK_PREFIX}", strict=False)


@dataclass(frozen=True)
class Record:
    """The saved settings of a cluster, in its cluster.json.

    Attributes:
        index: The index of its link.
        host_cidr: The range of all links.
        ports: Its ports on 127.0.0.1.
        durable: Whether etcd and containerd sync to the disk.
        programs: The programs that it runs, by name.
        images: The images of its add-ons, by name.
        inside: The node's ports to which those on 127.0.0.1 are forwarded; empty in records of an
            older version with other ports, which its supervisor still uses.
        node: The node's name, if it is not the cluster's own: a fork keeps that of its origin.
        volumes: The path at which its volumes appear to the node, if it is not their own.
    """

    index: int
    host_cidr: str
    ports: Mapping[str, int]
    durable: bool
    programs: Mapping[str, str]
    images: Mapping[str, str]
    inside: Mapping[str, int] = field(default_factory=dict)
    node: str = ""
    volumes: str = ""

    @property
    def host_link(self) -> HostLink:
        """The link between the host and the cluster."""
        return HostLink.at(self.host_cidr, self.index)

    def node_name(self, layout: Layout) -> str:
        """The name of the node."""
        return self.node or layout.node

    def volumes_path(self, layout: Layout) -> Path:
        """The path at which the node sees the data of persistent volumes."""
        return Path(self.volumes) if self.volumes else layout.storage

    def program(self, name: str) -> str:
        """The path of one of its programs."""
        return self.programs[name]

    def write(self, path: Path) -> None:
        """Save it atomically."""
        write_atomically(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """The saved record, or None before the first start.

        Raises:
            UsageError: The file is damaged.
            PrerequisiteError: Other users can change it: it names programs that root runs.
        """
        require_trusted(path)
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"{path} is damaged: {error}",
                f"Delete the cluster, then start it: `vrooli cluster delete {path.parent.name}`.",
            ) from error
