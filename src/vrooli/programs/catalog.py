"""The catalog of third-party programs, in groups that are built together."""

from __future__ import annotations

from vrooli.programs import sums
from vrooli.programs.model import Download, Edit, Group
from vrooli.programs.versions import (
    CNI_PLUGINS,
    CONTAINERD,
    COREDNS,
    ETCD,
    GATEWAY_API,
    HELM,
    HELM_3,
    KEDA,
    KUBE_SCORE,
    KUBERNETES,
    LOCAL_PATH_PROVISIONER,
    POSTGRES_OPERATOR,
    REDIS_OPERATOR,
    RUNC,
    TRAEFIK,
    VAULT_SECRETS_OPERATOR,
    VAULT_SECRETS_OPERATOR_1,
)

_STAMP = {
    f"k8s.io/{library}/version.{name}": value
    for library in ("component-base", "client-go/pkg")
    for name, value in (
        ("gitVersion", f"v{KUBERNETES}"),
        ("gitMajor", KUBERNETES.split(".", maxsplit=1)[0]),
        ("gitMinor", KUBERNETES.split(".")[1]),
    )
}


_SUMS = sums.read()


def _download(site: str, path: str, checksum: str, members: dict[str, str]) -> Download:
    return Download(site, path, checksum, members, _SUMS.get(f"{site}/{path}", ""))


def _kubernetes_binary(name: str) -> Download:
    path = f"v{KUBERNETES}/bin/linux/amd64/{name}"
    return _download("kubernetes", path, f"{path}.sha256", {name: ""})


def _released(
    project: str, tag: str, file: str, checksum: str, members: dict[str, str]
) -> Download:
    folder = f"{project}/releases/download/{tag}"
    return _download("github", f"{folder}/{file}", f"{folder}/{checksum}", members)


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

# Their sources are in go/kubernetes/.
_OWN_PROGRAMS = ("coredns", "kube-router", "metrics-proxy", "pause", "pgbackrest-job")

GROUPS: tuple[Group, ...] = (
    # The programs of the embedded cluster. Most of their libraries are the same, and compiled once:
    # one list of modules selects one version of each.
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
            "traefik": "github.com/traefik/traefik/v3/cmd/traefik",
            **{name: f"./{name}" for name in _OWN_PROGRAMS},
        },
        build_s=800,
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
            _released(
                "traefik/traefik",
                f"v{TRAEFIK}",
                f"traefik_v{TRAEFIK}_linux_amd64.tar.gz",
                f"traefik_v{TRAEFIK}_checksums.txt",
                {"traefik": "traefik"},
            ),
        ),
    ),
    # Debian's runc lacks the fixes of three escapes from containers: CVE-2025-31133, CVE-2025-52565
    # and CVE-2025-52881. The build tags are those of runc's own static release.
    Group(
        "runc",
        f"github.com/opencontainers/runc@v{RUNC}",
        {"runc": "github.com/opencontainers/runc"},
        build_s=60,
        tags="seccomp,netgo,osusergo,urfave_cli_no_docs",
        cgo=True,
        downloads=(
            _released(
                "opencontainers/runc", f"v{RUNC}", "runc.amd64", "runc.sha256sum", {"runc": ""}
            ),
        ),
    ),
    Group(
        "redis-operator",
        f"github.com/spotahome/redis-operator@v{REDIS_OPERATOR}",
        {"redisoperator": "github.com/spotahome/redis-operator/cmd/redisoperator"},
        build_s=60,
        needs_source=True,
    ),
    Group(
        "postgres-operator",
        f"github.com/crunchydata/postgres-operator@v{POSTGRES_OPERATOR}",
        {"postgres-operator": "github.com/crunchydata/postgres-operator/cmd/postgres-operator"},
        build_s=60,
        needs_source=True,
    ),
    Group(
        "vault-secrets-operator",
        f"github.com/hashicorp/vault-secrets-operator@v{VAULT_SECRETS_OPERATOR}",
        {"vault-secrets-operator": "github.com/hashicorp/vault-secrets-operator"},
        build_s=110,
        needs_source=True,
    ),
    # Its libraries have the versions of the group kubernetes, which has compiled them. It is not
    # built with it because it imports logrus by a name that Go refuses beside the usual one.
    Group(
        "local-path-provisioner",
        f"github.com/rancher/local-path-provisioner@v{LOCAL_PATH_PROVISIONER}",
        {"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
        build_s=15,
        # It takes a read lock that it has already. If its configuration is read anew in between,
        # which happens every 30 s, it creates no volume any more.
        edits=(
            Edit(
                "github.com/rancher/local-path-provisioner/provisioner.go",
                "c *StorageClassConfig) (string, error) {\n"
                "\tp.configMutex.RLock()\n\tdefer p.configMutex.RUnlock()\n",
                "c *StorageClassConfig) (string, error) {\n",
            ),
        ),
    ),
    # No program, only definitions: the kinds that Traefik and the tests of the chart need.
    Group(
        "gateway-api",
        f"sigs.k8s.io/gateway-api@v{GATEWAY_API}",
        {},
        build_s=5,
        needs_source=True,
    ),
    # Only definitions, for the tests of the chart.
    Group(
        "vault-secrets-operator-1",
        f"github.com/hashicorp/vault-secrets-operator@v{VAULT_SECRETS_OPERATOR_1}",
        {},
        build_s=5,
        needs_source=True,
    ),
    Group("keda", f"github.com/kedacore/keda/v2@v{KEDA}", {}, build_s=5, needs_source=True),
    Group(
        "helm",
        f"helm.sh/helm/v4@v{HELM}",
        {"helm": "helm.sh/helm/v4/cmd/helm"},
        build_s=120,
        stamp={"helm.sh/helm/v4/internal/version.version": f"v{HELM}"},
        downloads=(
            _download(
                "helm",
                f"helm-v{HELM}-linux-amd64.tar.gz",
                f"helm-v{HELM}-linux-amd64.tar.gz.sha256sum",
                {"helm": "linux-amd64/helm"},
            ),
        ),
    ),
    # It uses the same versions of Kubernetes' libraries as helm, so that they are compiled once.
    Group(
        "helm-3",
        f"helm.sh/helm/v3@v{HELM_3}",
        {"helm3": "helm.sh/helm/v3/cmd/helm"},
        build_s=100,
        stamp={"helm.sh/helm/v3/internal/version.version": f"v{HELM_3}"},
        downloads=(
            _download(
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
