"""Where the files of a cluster are, and the names that others see it by. No I/O."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from vrooli.errors import UsageError

# One name for each place that others see: a cgroup, a node, a log line.
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,29}[a-z0-9])?")
# What overlayfs (mount options) and ip (batch files) would take apart.
UNSAFE = re.compile(r"""[\s,:'"\\]""")
# A Unix socket's address holds 108 bytes (unix(7)); containerd appends ".ttrpc" to ours.
SOCKET_PATH_LIMIT = 100


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
