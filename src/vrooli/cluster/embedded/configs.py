"""The components' own configuration files, from the cluster's record and the host's lacks.

Every function is pure; ``write_all`` writes what they give.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import yaml

from vrooli.cluster.embedded import cgroups
from vrooli.cluster.embedded.host import Host
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.settings import (
    API_PORT_INSIDE,
    CLUSTER_DOMAIN,
    DNS_SERVICE_IP,
    POD_RANGE,
    Record,
    write_whole,
)

# The image collector must spare images: there may be no registry to get them from again.
NEVER_COLLECT_IMAGES_PERCENT = 100
# Kubernetes' own defaults are parts of the disk, which a developer's full disk has long passed.
EVICTION = {"memory.available": "100Mi", "nodefs.available": "500Mi", "imagefs.available": "500Mi"}
CLIENTS = ("admin", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet")


def kubeconfig(layout: Layout, user: str, server: str, name: str) -> str:
    """A kubeconfig with everything in it: the authority, and the user's certificate and key."""

    def encoded(file: str) -> str:
        return base64.b64encode((layout.pki / file).read_bytes()).decode()

    cluster = {"server": server, "certificate-authority-data": encoded("ca.crt")}
    credentials = {
        "client-certificate-data": encoded(f"{user}.crt"),
        "client-key-data": encoded(f"{user}.key"),
    }
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": credentials}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        },
        sort_keys=False,
    )


def containerd(layout: Layout, record: Record, host: Host) -> str:
    """The configuration of containerd, version 3 (TOML; strings are written as JSON, a subset)."""
    text = json.dumps
    cni_folder = str(Path(record.program("bridge")).parent)
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

[plugins."io.containerd.cri.v1.runtime"]
  disable_apparmor = {text(not host.apparmor)}
  restrict_oom_score_adj = {text(not host.can_raise_limits)}
  # Otherwise the host would see the pods' namespaces in /run/netns.
  netns_mounts_under_state_dir = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = [{text(cni_folder)}]
  conf_dir = {text(str(layout.config / "cni"))}

[plugins."io.containerd.cri.v1.runtime".containerd]
  default_runtime_name = "runc"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  SystemdCgroup = false

[plugins."io.containerd.cri.v1.images"]
  snapshotter = {text(snapshotter(host))}

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = {text(record.images["pause"])}
"""


def snapshotter(host: Host) -> str:
    """How containerd stacks an image's layers."""
    return "overlayfs" if host.overlayfs else "native"


def unpacker(root: Path, state: Path, socket: Path, stacked: str) -> str:
    """The configuration of a containerd that only unpacks images, stacked by a snapshotter."""
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
    """The pods' network: a bridge inside the cluster's namespace, and ports of the node."""
    return {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
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


def kubelet(layout: Layout, record: Record, host: Host) -> dict[str, Any]:
    """The kubelet's configuration."""
    pki = layout.pki
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(pki / "kubelet.key"),
        "address": record.cable.node_ip,
        "clusterDomain": CLUSTER_DOMAIN,
        "clusterDNS": [DNS_SERVICE_IP],
        "resolvConf": str(layout.config / "resolv.conf"),
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "podLogsDir": str(layout.logs / "pods"),
        "volumePluginDir": str(layout.kubelet / "plugins-exec"),
        "imageGCHighThresholdPercent": NEVER_COLLECT_IMAGES_PERCENT,
        "evictionHard": EVICTION,
        "serializeImagePulls": False,
        "makeIPTablesUtilChains": False,  # kube-proxy speaks nftables
        **_kubelet_cgroups(layout, host),
        **_kubelet_relaxed(host),
    }


def _kubelet_cgroups(layout: Layout, host: Host) -> dict[str, Any]:
    root = f"/{layout.identity}/{cgroups.PODS}"
    settings = {"cgroupDriver": "cgroupfs", "cgroupRoot": root, "cgroupsPerQOS": True}
    if host.cgroup_v1:
        settings["failCgroupV1"] = False
    return settings


def _kubelet_relaxed(host: Host) -> dict[str, Any]:
    """What is relaxed, each for a lack of this host."""
    settings: dict[str, Any] = {}
    if host.swap:
        settings["failSwapOn"] = False
    if not host.can_raise_limits:
        # It would lower its own out-of-memory score, which takes CAP_SYS_RESOURCE.
        settings["oomScoreAdj"] = 0
        settings["featureGates"] = {"KubeletInUserNamespace": True}
    return settings


def kube_proxy(layout: Layout, record: Record, host: Host) -> dict[str, Any]:
    """kube-proxy's configuration: nftables, inside the cluster's namespace only."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(layout.config / "kube-proxy.kubeconfig")},
        "hostnameOverride": layout.node,
        "clusterCIDR": POD_RANGE,
        "healthzBindAddress": f"{record.cable.node_ip}:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        # Connection limits belong to the host; a network namespace can't set them.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
        # Without the bridge's packets passing the rules, answers of a Service's pod to another
        # pod would go round them; sent through the node, they can't.
        "nftables": {"masqueradeAll": not host.bridge_netfilter},
        **({} if host.can_raise_limits else {"oomScoreAdj": 0}),
    }


def resolv_conf() -> str:
    """What pods with the node's DNS see: the cluster's namespace reaches no other server."""
    return f"# Names inside the cluster only.\nnameserver {DNS_SERVICE_IP}\n"


def write_all(layout: Layout, record: Record, host: Host) -> None:
    """Write every configuration file and kubeconfig anew."""
    (layout.config / "cni").mkdir(parents=True, exist_ok=True)
    write_whole(layout.config / "containerd.toml", containerd(layout, record, host))
    write_whole(layout.config / "cni" / "10-pods.conflist", json.dumps(cni(), indent=2))
    write_whole(layout.config / "resolv.conf", resolv_conf())
    for name, settings in (
        ("kubelet", kubelet(layout, record, host)),
        ("kube-proxy", kube_proxy(layout, record, host)),
    ):
        write_whole(layout.config / f"{name}.yaml", yaml.safe_dump(settings, sort_keys=False))
    inside = f"https://{record.cable.node_ip}:{API_PORT_INSIDE}"
    for user in CLIENTS:
        text = kubeconfig(layout, user, inside, layout.node)
        write_whole(layout.config / f"{user}.kubeconfig", text, mode=0o600)
    outside = f"https://127.0.0.1:{record.ports['api']}"
    write_whole(layout.kubeconfig, kubeconfig(layout, "admin", outside, layout.node), mode=0o600)
