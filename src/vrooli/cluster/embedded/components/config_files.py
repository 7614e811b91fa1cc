"""The components' configuration files, for the cluster's settings and the host's features.

All functions are pure, except ``write_all``, which writes their results.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import yaml

from vrooli.cluster.embedded.components import api_policies, containerd_config
from vrooli.cluster.embedded.components.certificates import CIPHER_SUITES
from vrooli.cluster.embedded.host import cgroups
from vrooli.cluster.embedded.host.inspection import Host
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.settings import (
    API_PORT_INSIDE,
    CLUSTER_DOMAIN,
    DNS_SERVICE_IP,
    POD_RANGE,
    Record,
)
from vrooli.files import write_atomically

# Image garbage collection must be off: there may be no registry to pull the images from again.
NEVER_COLLECT_IMAGES_PERCENT = 100
# Kubernetes' defaults are fractions of the disk; a developer's disk is often fuller than that.
EVICTION = {"memory.available": "100Mi", "nodefs.available": "500Mi", "imagefs.available": "500Mi"}
# Processes and threads of a pod: a fork bomb must not exhaust those of the host.
POD_PIDS_LIMIT = 4096
CLIENTS = (
    *("admin", "kube-controller-manager", "kube-scheduler"),
    *("kubelet", "kube-proxy", "kube-router"),
)


def kubeconfig(layout: Layout, user: str, server: str, name: str) -> str:
    """A self-contained kubeconfig: the authority, and the user's certificate and key."""

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
        "tlsMinVersion": "VersionTLS12",
        "tlsCipherSuites": list(CIPHER_SUITES),
        "readOnlyPort": 0,
        "eventRecordQPS": 50,
        "podPidsLimit": POD_PIDS_LIMIT,
        "seccompDefault": True,
        "address": record.host_link.node_ip,
        "clusterDomain": CLUSTER_DOMAIN,
        "clusterDNS": [DNS_SERVICE_IP],
        "resolvConf": str(layout.config / "resolv.conf"),
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "podLogsDir": str(layout.logs / "pods"),
        "volumePluginDir": str(layout.kubelet / "plugins-exec"),
        "imageGCHighThresholdPercent": NEVER_COLLECT_IMAGES_PERCENT,
        "evictionHard": EVICTION,
        "serializeImagePulls": False,
        "makeIPTablesUtilChains": False,  # kube-proxy uses nftables
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
    """Relaxed settings, one for each feature that this host lacks."""
    settings: dict[str, Any] = {}
    if host.swap:
        settings["failSwapOn"] = False
    if not host.can_raise_limits:
        # By default it lowers its own out-of-memory score, which requires CAP_SYS_RESOURCE.
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
        "hostnameOverride": record.node_name(layout),
        "clusterCIDR": POD_RANGE,
        "healthzBindAddress": f"{record.host_link.node_ip}:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        # Connection limits are global on the host; a network namespace cannot set them.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
        # If packets on the bridge bypass the rules, so do replies of a Service's pod to another
        # pod; masquerading routes them through the node.
        "nftables": {"masqueradeAll": not host.bridge_netfilter},
        **({} if host.can_raise_limits else {"oomScoreAdj": 0}),
    }


def resolv_conf() -> str:
    """The resolv.conf of pods with the node's DNS, the only server that the namespace reaches."""
    return f"# Names inside the cluster only.\nnameserver {DNS_SERVICE_IP}\n"


def write_all(layout: Layout, record: Record, host: Host) -> None:
    """Rewrite all configuration files and kubeconfigs; all for their owner only."""
    (layout.config / "cni").mkdir(parents=True, exist_ok=True)
    key = (layout.pki / api_policies.ENCRYPTION_KEY).read_text()
    texts = {
        "containerd.toml": containerd_config.containerd(layout, record, host),
        "cni/10-pods.conflist": json.dumps(containerd_config.cni(), indent=2),
        "resolv.conf": resolv_conf(),
        **{
            f"{name}.yaml": yaml.safe_dump(settings, sort_keys=False)
            for name, settings in (
                ("kubelet", kubelet(layout, record, host)),
                ("kube-proxy", kube_proxy(layout, record, host)),
                ("encryption", api_policies.encryption(key)),
                ("audit-policy", api_policies.audit_policy()),
            )
        },
    }
    inside = f"https://{record.host_link.node_ip}:{API_PORT_INSIDE}"
    for user in CLIENTS:
        texts[f"{user}.kubeconfig"] = kubeconfig(layout, user, inside, layout.node)
    for name, text in texts.items():
        write_atomically(layout.config / name, text, mode=0o600)
    outside = f"https://127.0.0.1:{record.ports['api']}"
    write_atomically(
        layout.kubeconfig, kubeconfig(layout, "admin", outside, layout.node), mode=0o600
    )
