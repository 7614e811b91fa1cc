"""The configuration of containerd and of the pods' network. No I/O."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vrooli.cluster.embedded.host.inspection import Host
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.settings import BRIDGE, POD_RANGE, Record


def containerd(layout: Layout, record: Record, host: Host) -> str:
    """The configuration of containerd, version 3 (TOML; strings are written as JSON, a subset)."""
    text = json.dumps
    return f"""\
version = 3
root = {text(str(layout.containerd))}
state = {text(str(layout.run / "containerd"))}

[grpc]
  address = {text(str(layout.containerd_socket))}

[plugins."io.containerd.internal.v1.opt"]
  path = {text(str(layout.containerd / "opt"))}

[plugins."io.containerd.metadata.v1.bolt"]
  no_sync = {text(not record.durable)}

{_cri_runtime(layout, record, host)}
[plugins."io.containerd.cri.v1.images"]
  snapshotter = {text(snapshotter(host))}

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = {text(record.images["pause"])}
"""


def _cri_runtime(layout: Layout, record: Record, host: Host) -> str:
    text = json.dumps
    cni_folder = str(Path(record.program("bridge")).parent)
    return f"""\
[plugins."io.containerd.cri.v1.runtime"]
  disable_apparmor = {text(not host.apparmor)}
  restrict_oom_score_adj = {text(not host.can_raise_limits)}
  # Otherwise the host would see the pods' namespaces in /run/netns.
  netns_mounts_under_state_dir = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  # The kubelet reads the CPU times from cgroups. By default, containerd also asks every shim for
  # them each second, which takes a tenth of a core.
  stats_collect_period = "1h"

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = [{text(cni_folder)}]
  conf_dir = {text(str(layout.config / "cni"))}

[plugins."io.containerd.cri.v1.runtime".containerd]
  default_runtime_name = "runc"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  BinaryName = {text(record.program("runc"))}
  SystemdCgroup = false
"""


def snapshotter(host: Host) -> str:
    """The snapshotter: how containerd stacks an image's layers."""
    return "overlayfs" if host.overlayfs else "native"


def unpacker(root: Path, state: Path, socket: Path, stacked: str) -> str:
    """The configuration of a containerd that only unpacks images with a snapshotter."""
    text = json.dumps
    return f"""\
version = 3
root = {text(str(root))}
state = {text(str(state))}
disabled_plugins = [
  "io.containerd.grpc.v1.cri",
  "io.containerd.cri.v1.images",
  "io.containerd.cri.v1.runtime",
  "io.containerd.nri.v1.nri",
]

[grpc]
  address = {text(str(socket))}

[plugins."io.containerd.internal.v1.opt"]
  path = {text(str(root / "opt"))}

[[plugins."io.containerd.transfer.v1.local".unpack_config]]
  platform = "linux"
  snapshotter = {text(stacked)}
"""


def cni() -> dict[str, Any]:
    """The pods' network: a bridge in the cluster's network namespace, and ports of the node."""
    return {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": BRIDGE,
                "isGateway": True,
                "ipMasq": True,
                "ipMasqBackend": "nftables",
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": POD_RANGE}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "backend": "nftables", "capabilities": {"portMappings": True}},
        ],
    }
