"""The components of a cluster: their command lines, start order and readiness checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vrooli.cluster.embedded.components import account_tokens
from vrooli.cluster.embedded.components.certificates import CIPHER_SUITES
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.network import firewall
from vrooli.cluster.embedded.network.namespace import enter_command
from vrooli.cluster.embedded.settings import API_PORT_INSIDE, POD_RANGE, SERVICE_RANGE, Record

# The programs that a cluster runs on the host; everything else is in images.
PROGRAMS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kube-router",
    "containerd",
    "containerd-shim-runc-v2",
    "ctr",
    "runc",
    "bridge",
    "host-local",
    "loopback",
    "portmap",
)
ETCD_PORT = 2379
ISSUER = "https://kubernetes.default.svc.cluster.local"


@dataclass(frozen=True)
class Component:
    """One component.

    Attributes:
        name: Its name in status and logs.
        argv: Its command line.
        after: The components that must be ready before it starts.
        ready: A path on the API server that must return 200, the path of a socket that must
            exist, or empty if it is ready as soon as it runs.
        grace_s: The time between SIGTERM and SIGKILL, seconds.
        folders: Folders added to the front of its PATH.
        environment: Variables added to its environment.
    """

    name: str
    argv: tuple[str, ...]
    after: tuple[str, ...] = ()
    ready: str = ""
    grace_s: float = 10.0
    folders: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def components(layout: Layout, record: Record) -> list[Component]:
    """All components in start order."""
    control_plane = (_etcd, _containerd, _apiserver, _controllers, _scheduler)
    node = (_kubelet, _kube_proxy, _kube_router)
    return [make(layout, record) for make in (*control_plane, *node)]


# The stop order: nothing may start pods while pods are stopped, and the API server waits long for
# a stopped etcd. The pods' containers are stopped after the first component.
STOP_ORDER = (
    "kubelet",
    "kube-proxy",
    "kube-router",
    "kube-scheduler",
    "kube-controller-manager",
    "kube-apiserver",
    "etcd",
    "containerd",
)


def _start(layout: Layout, program: str, *flags: str) -> tuple[str, ...]:
    # If the supervisor is killed, its components are killed too: without it they are not monitored.
    return ("setpriv", "--pdeathsig", "KILL", *enter_command(layout.netns), program, *flags)


def _etcd(layout: Layout, record: Record) -> Component:
    pki, url = layout.pki, f"https://127.0.0.1:{ETCD_PORT}"
    peer = "https://127.0.0.1:2380"  # required, but unused with only one member
    flags = [
        f"--name={record.node_name(layout)}",
        f"--data-dir={layout.etcd}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster={record.node_name(layout)}={peer}",
        f"--cert-file={pki / 'etcd.crt'}",
        f"--key-file={pki / 'etcd.key'}",
        f"--trusted-ca-file={pki / 'etcd-ca.crt'}",
        "--client-cert-auth=true",
        f"--peer-cert-file={pki / 'etcd-peer.crt'}",
        f"--peer-key-file={pki / 'etcd-peer.key'}",
        f"--peer-trusted-ca-file={pki / 'etcd-ca.crt'}",
        "--peer-client-cert-auth=true",
        "--auto-compaction-retention=1h",
        "--log-level=warn",
        *([] if record.durable else ["--unsafe-no-fsync"]),
    ]
    return Component("etcd", _start(layout, record.program("etcd"), *flags))


def _containerd(layout: Layout, record: Record) -> Component:
    program = record.program("containerd")
    config = layout.config / "containerd.toml"
    shims = Path(record.program("containerd-shim-runc-v2")).parent
    return Component(
        "containerd",
        _start(layout, program, "--config", str(config)),
        ready=str(layout.containerd_socket),
        folders=(shims,),
    )


def _apiserver(layout: Layout, record: Record) -> Component:
    flags = [
        f"--advertise-address={record.host_link.node_ip}",
        f"--secure-port={API_PORT_INSIDE}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        "--anonymous-auth=false",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs",
        "--allow-privileged=true",
        "--profiling=false",
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-issuer={ISSUER}",
        "--service-account-lookup=true",
        f"--encryption-provider-config={layout.config / 'encryption.yaml'}",
        *_api_certificates(layout.pki),
        *_audit(layout),
    ]
    argv = _start(layout, record.program("kube-apiserver"), *flags)
    # It retries until etcd responds.
    return Component("kube-apiserver", argv, after=("etcd",), ready="/readyz")


def _api_certificates(pki: Path) -> list[str]:
    """The certificates and keys for etcd, clients, the kubelet, accounts and the aggregation."""
    return [
        f"--etcd-servers=https://127.0.0.1:{ETCD_PORT}",
        f"--etcd-cafile={pki / 'etcd-ca.crt'}",
        f"--etcd-certfile={pki / 'etcd-client.crt'}",
        f"--etcd-keyfile={pki / 'etcd-client.key'}",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--tls-cert-file={pki / 'kube-apiserver.crt'}",
        f"--tls-private-key-file={pki / 'kube-apiserver.key'}",
        "--tls-min-version=VersionTLS12",
        f"--tls-cipher-suites={','.join(CIPHER_SUITES)}",
        f"--kubelet-certificate-authority={pki / 'ca.crt'}",
        f"--kubelet-client-certificate={pki / 'kube-apiserver-kubelet.crt'}",
        f"--kubelet-client-key={pki / 'kube-apiserver-kubelet.key'}",
        f"--service-account-key-file={pki / account_tokens.PUBLIC_KEY}",
        f"--service-account-signing-key-file={pki / account_tokens.KEY}",
        f"--requestheader-client-ca-file={pki / 'front-proxy-ca.crt'}",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={pki / 'front-proxy-client.crt'}",
        f"--proxy-client-key-file={pki / 'front-proxy-client.key'}",
    ]


def _audit(layout: Layout) -> list[str]:
    """The audit log, with the retention that the CIS benchmark requires: 1.1 GB at most."""
    return [
        f"--audit-policy-file={layout.config / 'audit-policy.yaml'}",
        f"--audit-log-path={layout.logs / 'audit.log'}",
        "--audit-log-mode=batch",
        "--audit-log-maxage=30",  # days
        "--audit-log-maxbackup=10",
        "--audit-log-maxsize=100",  # MB
    ]


def _controllers(layout: Layout, record: Record) -> Component:
    pki, kubeconfig = layout.pki, layout.config / "kube-controller-manager.kubeconfig"
    flags = [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--use-service-account-credentials=true",
        f"--cluster-cidr={POD_RANGE}",
        "--allocate-node-cidrs=false",
        # Ended pods to keep; the default of 12500 is for clusters with many nodes.
        "--terminated-pod-gc-threshold=1000",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--service-account-private-key-file={pki / account_tokens.KEY}",
        f"--cluster-signing-cert-file={pki / 'ca.crt'}",
        f"--cluster-signing-key-file={pki / 'ca.key'}",
        "--profiling=false",
    ]
    argv = _start(layout, record.program("kube-controller-manager"), *flags)
    return Component("kube-controller-manager", argv, after=("kube-apiserver",))


def _scheduler(layout: Layout, record: Record) -> Component:
    kubeconfig = layout.config / "kube-scheduler.kubeconfig"
    flags = [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--profiling=false",
    ]
    argv = _start(layout, record.program("kube-scheduler"), *flags)
    return Component("kube-scheduler", argv, after=("kube-apiserver",))


def _kubelet(layout: Layout, record: Record) -> Component:
    flags = [
        f"--config={layout.config / 'kubelet.yaml'}",
        f"--kubeconfig={layout.config / 'kubelet.kubeconfig'}",
        f"--root-dir={layout.kubelet}",
        f"--cert-dir={layout.kubelet / 'pki'}",
        f"--hostname-override={record.node_name(layout)}",
        f"--node-ip={record.host_link.node_ip}",
    ]
    argv = _start(layout, record.program("kubelet"), *flags)
    return Component(
        "kubelet",
        argv,
        after=("kube-apiserver", "containerd"),
        ready=f"/api/v1/nodes/{record.node_name(layout)}",
    )


def _kube_proxy(layout: Layout, record: Record) -> Component:
    config = layout.config / "kube-proxy.yaml"
    argv = _start(layout, record.program("kube-proxy"), f"--config={config}")
    # It exits if the node's addresses appear only after its start.
    return Component("kube-proxy", argv, after=("kubelet",))


def _kube_router(layout: Layout, record: Record) -> Component:
    """Enforces network policies, and nothing else."""
    flags = [
        f"--kubeconfig={layout.config / 'kube-router.kubeconfig'}",
        f"--hostname-override={record.node_name(layout)}",
        f"--service-cluster-ip-range={SERVICE_RANGE}",
        f"--guarded-set={firewall.GUARDED_SET}",
    ]
    argv = _start(layout, record.program("kube-router"), *flags)
    # It reads the node's address from the API only once, at its start.
    return Component(
        "kube-router", argv, after=("kubelet",), environment=firewall.environment(layout)
    )
