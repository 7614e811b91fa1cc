"""The file paths of a cluster, and its names on the host. No I/O."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from vrooli.errors import UsageError

# Valid as the name of a cgroup, a node and a network alias.
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,29}[a-z0-9])?")
# Separators in mount options (overlayfs) and in batch files (ip).
UNSAFE = re.compile(r"""[\s,:'"\\]""")
# A Unix socket address is limited to 108 bytes (unix(7)); containerd appends ".ttrpc" to ours.
SOCKET_PATH_LIMIT = 100


def stored_clusters(state_dir: Path) -> list[str]:
    """The names of all clusters with data in the state folder."""
    return sorted(path.parent.name for path in (state_dir / "clusters").glob("*/cluster.json"))


@dataclass(frozen=True)
class Layout:
    """The file paths of one cluster. All of them are below ``root``."""

    root: Path

    @classmethod
    def of(cls, state_dir: Path, name: str) -> Layout:
        """The layout of the cluster with that name.

        Raises:
            UsageError: The name or the folder is invalid.
        """
        if not NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} can't be a cluster's name.",
                "Use at most 31 lower-case letters, digits and dashes.",
            )
        layout = cls(state_dir.resolve() / "clusters" / name)
        if UNSAFE.search(str(layout.root)):
            raise UsageError(
                f"The state folder {state_dir} has characters in its path that mount options and "
                "command files can't carry.",
                "Set VROOLI_STATE_DIR to one without spaces, commas, colons, quotes and "
                "backslashes.",
            )
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
        """The lock of changes to the cluster; outside its folder, which delete removes."""
        return self.root.with_name(f".{self.name}.lock")

    @property
    def identity(self) -> str:
        """The name of the cluster's cgroup and link: unlike the cluster's name, unique on the host.

        Two state folders may each contain a cluster of the same name.
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
        """The data of etcd: the API's objects."""
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
        """The data of persistent volumes."""
        return self.root / "storage"

    @property
    def config(self) -> Path:
        """The configuration of the components, rewritten at each start."""
        return self.root / "config"

    @property
    def logs(self) -> Path:
        """One log for each component, and the pods' logs."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Runtime files: sockets, locks and status."""
        return self.root / "run"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig for clients on the host; 0600."""
        return self.root / "kubeconfig"

    @property
    def record(self) -> Path:
        """The saved settings of the cluster."""
        return self.root / "cluster.json"

    @property
    def status(self) -> Path:
        """The last report of the supervisor."""
        return self.run / "status.json"

    @property
    def pause(self) -> Path:
        """When the cluster was last paused."""
        return self.run / "pause.json"

    @property
    def supervisor_lock(self) -> Path:
        """The lock that the supervisor holds while it runs."""
        return self.run / "supervisor.lock"

    @property
    def images_lock(self) -> Path:
        """The lock of runs that load images."""
        return self.run / "images.lock"

    @property
    def netns(self) -> Path:
        """The handle of the network namespace, mounted in the supervisor's mount namespace only."""
        return self.run / "netns"

    @property
    def containerd_socket(self) -> Path:
        """The socket of containerd."""
        return self.run / "containerd.sock"

    def log(self, component: str) -> Path:
        """The log of a component."""
        return self.logs / f"{component}.log"
