"""The checks of the CIS Kubernetes Benchmark for the components of an embedded cluster.

The ids are those of version 1.11, the subjects our own words. Sections 3.1 and 5 are about users
and workloads, not about components.
"""

from __future__ import annotations

from support.cluster.cis import (
    API,
    Check,
    Rendered,
    at_least,
    audits,
    contains,
    encrypts,
    equals,
    flag,
    flags,
    metrics,
    mode,
    own_authority,
    owner,
    setting,
    strong_ciphers,
    without,
)

CONTROLLERS = "kube-controller-manager"
PRIVATE, READABLE = 0o600, 0o644
NO_MANIFESTS = "components have no pod manifests: the supervisor starts them with arguments"

MANIFESTS = [
    Check(f"1.1.{number}", f"{subject} of the manifest of {component}", None, NO_MANIFESTS)
    for number, (component, subject) in enumerate(
        (
            (component, subject)
            for component in ("the API server", "the controller manager", "the scheduler", "etcd")
            for subject in ("permissions", "owner")
        ),
        1,
    )
]
FILES = [
    *MANIFESTS,
    Check("1.1.9", "permissions of the CNI files", mode("config/cni/*", PRIVATE)),
    Check("1.1.10", "owner of the CNI files", owner("config/cni/*")),
    Check("1.1.11", "permissions of etcd's data", mode("etcd", 0o700)),
    Check(
        "1.1.12",
        "owner of etcd's data is `etcd`",
        lambda _: "",
        "etcd runs as root, as all components do; there is no other process of that user",
    ),
    Check("1.1.13", "permissions of the administrator's credentials", mode("kubeconfig", PRIVATE)),
    Check("1.1.14", "owner of the administrator's credentials", owner("kubeconfig")),
    *(
        check
        for number, name in ((15, "kube-scheduler"), (17, CONTROLLERS))
        for check in (
            Check(
                f"1.1.{number}",
                f"permissions of the kubeconfig of {name}",
                mode(f"config/{name}.kubeconfig", PRIVATE),
            ),
            Check(
                f"1.1.{number + 1}",
                f"owner of the kubeconfig of {name}",
                owner(f"config/{name}.kubeconfig"),
            ),
        )
    ),
    Check("1.1.19", "owner of certificates and keys", owner("pki/*")),
    Check("1.1.20", "permissions of certificates", mode("pki/*.crt", READABLE)),
    Check("1.1.21", "permissions of keys", mode("pki/*.key", PRIVATE)),
]
API_SERVER = [
    Check("1.2.1", "no anonymous requests", flag(API, "anonymous-auth", equals("false"))),
    Check("1.2.2", "no token file", without(API, "token-auth-file")),
    Check(
        "1.2.3",
        "no external IPs of Services",
        flag(API, "enable-admission-plugins", contains("DenyServiceExternalIPs")),
    ),
    Check(
        "1.2.4",
        "a client certificate for kubelets",
        flags(API, "kubelet-client-certificate", "kubelet-client-key"),
    ),
    Check("1.2.5", "an authority of kubelets", flag(API, "kubelet-certificate-authority")),
    Check("1.2.6", "not `AlwaysAllow`", without(API, "authorization-mode", "AlwaysAllow")),
    Check("1.2.7", "`Node` authorization", flag(API, "authorization-mode", contains("Node"))),
    Check("1.2.8", "`RBAC` authorization", flag(API, "authorization-mode", contains("RBAC"))),
    Check(
        "1.2.9",
        "`EventRateLimit`",
        flag(API, "enable-admission-plugins", contains("EventRateLimit")),
        "one node: the API server's priority levels limit its clients",
    ),
    Check(
        "1.2.10",
        "not `AlwaysAdmit`",
        without(API, "enable-admission-plugins", "AlwaysAdmit"),
    ),
    Check(
        "1.2.11",
        "`AlwaysPullImages`",
        flag(API, "enable-admission-plugins", contains("AlwaysPullImages")),
        "images are loaded into containerd; there is no registry to pull them from",
    ),
    *(
        Check(
            number,
            f"`{plugin}` is not disabled",
            without(API, "disable-admission-plugins", plugin, "enabled by default"),
        )
        for number, plugin in (("1.2.12", "ServiceAccount"), ("1.2.13", "NamespaceLifecycle"))
    ),
    Check(
        "1.2.14",
        "`NodeRestriction`",
        flag(API, "enable-admission-plugins", contains("NodeRestriction")),
    ),
    Check("1.2.15", "no profiling", flag(API, "profiling", equals("false"))),
    Check("1.2.16", "an audit log", flag(API, "audit-log-path")),
    Check("1.2.17", "kept for 30 days", flag(API, "audit-log-maxage", at_least(30))),
    Check("1.2.18", "ten old files", flag(API, "audit-log-maxbackup", at_least(10))),
    Check("1.2.19", "files of 100 MB", flag(API, "audit-log-maxsize", at_least(100))),
    Check(
        "1.2.20",
        "a timeout of requests",
        without(API, "request-timeout", default="60 s by default"),
    ),
    Check(
        "1.2.21",
        "tokens of deleted accounts are invalid",
        flag(API, "service-account-lookup", equals("true")),
    ),
    Check("1.2.22", "a key of accounts", flag(API, "service-account-key-file")),
    Check("1.2.23", "a certificate for etcd", flags(API, "etcd-certfile", "etcd-keyfile")),
    Check("1.2.24", "TLS", flags(API, "tls-cert-file", "tls-private-key-file")),
    Check("1.2.25", "an authority of clients", flag(API, "client-ca-file")),
    Check("1.2.26", "an authority of etcd", flag(API, "etcd-cafile")),
    Check("1.2.27", "encryption at rest", flag(API, "encryption-provider-config")),
    Check("1.2.28", "a strong encryption provider", encrypts),
    Check("1.2.29", "strong ciphers", strong_ciphers),
    Check(
        "1.2.30",
        "tokens of pods are not extended",
        flag(API, "service-account-extend-token-expiration", equals("false")),
        "the default: clients that read their token only at start would fail after an hour",
    ),
]
CONTROL = [
    Check("1.3.1", "a limit of ended pods", flag(CONTROLLERS, "terminated-pod-gc-threshold")),
    Check("1.3.2", "no profiling", flag(CONTROLLERS, "profiling", equals("false"))),
    Check(
        "1.3.3",
        "an account for each controller",
        flag(CONTROLLERS, "use-service-account-credentials", equals("true")),
    ),
    Check("1.3.4", "a key of accounts", flag(CONTROLLERS, "service-account-private-key-file")),
    Check("1.3.5", "a root authority for pods", flag(CONTROLLERS, "root-ca-file")),
    Check(
        "1.3.6",
        "rotation of the kubelet's server certificate",
        without(CONTROLLERS, "feature-gates", "RotateKubeletServerCertificate=false", "by default"),
    ),
    Check("1.3.7", "loopback only", flag(CONTROLLERS, "bind-address", equals("127.0.0.1"))),
    Check("1.4.1", "no profiling", flag("kube-scheduler", "profiling", equals("false"))),
    Check("1.4.2", "loopback only", flag("kube-scheduler", "bind-address", equals("127.0.0.1"))),
]
ETCD = [
    Check("2.1", "TLS for clients", flags("etcd", "cert-file", "key-file")),
    Check("2.2", "certificates of clients", flag("etcd", "client-cert-auth", equals("true"))),
    Check("2.3", "no certificates that sign themselves", without("etcd", "auto-tls", "true")),
    Check("2.4", "TLS for members", flags("etcd", "peer-cert-file", "peer-key-file")),
    Check("2.5", "certificates of members", flag("etcd", "peer-client-cert-auth", equals("true"))),
    Check("2.6", "none that sign themselves", without("etcd", "peer-auto-tls", "true")),
    Check("2.7", "an authority of its own", own_authority),
]
AUDIT = [
    Check("3.2.1", "an audit policy", flag(API, "audit-policy-file")),
    Check("3.2.2", "the policy covers what matters", audits),
]
RENEWED = "each start of the cluster issues new certificates, which are valid for a year"
NODE = [
    Check("4.1.1", "permissions of the kubelet's unit", None, NO_MANIFESTS),
    Check("4.1.2", "owner of the kubelet's unit", None, NO_MANIFESTS),
    *(
        check
        for number, name, pattern, most in (
            (3, "kube-proxy's kubeconfig", "config/kube-proxy.kubeconfig", PRIVATE),
            (5, "the kubelet's kubeconfig", "config/kubelet.kubeconfig", PRIVATE),
            (7, "the authority's certificate", "pki/ca.crt", READABLE),
            (9, "the kubelet's configuration", "config/kubelet.yaml", PRIVATE),
        )
        for check in (
            Check(f"4.1.{number}", f"permissions of {name}", mode(pattern, most)),
            Check(f"4.1.{number + 1}", f"owner of {name}", owner(pattern)),
        )
    ),
]
KUBELET = [
    Check(
        "4.2.1",
        "no anonymous requests",
        setting("authentication.anonymous.enabled", lambda value: value is False),
    ),
    Check(
        "4.2.2",
        "not `AlwaysAllow`",
        setting("authorization.mode", lambda value: value == "Webhook"),
    ),
    Check(
        "4.2.3",
        "an authority of clients",
        setting("authentication.x509.clientCAFile", bool, "`clientCAFile`"),
    ),
    Check("4.2.4", "no read-only port", setting("readOnlyPort", lambda value: value == 0)),
    Check(
        "4.2.5",
        "idle streams end",
        lambda rendered: (
            "" if "streamingConnectionIdleTimeout" in rendered.kubelet else "4 h by default"
        ),
    ),
    Check(
        "4.2.6",
        "chains of iptables",
        setting("makeIPTablesUtilChains", lambda value: value is True),
        "kube-proxy uses nftables; the chains would have no effect",
    ),
    Check(
        "4.2.7",
        "no other host name",
        without("kubelet", "hostname-override"),
        "the node has the cluster's name: several clusters run on one host",
    ),
    Check("4.2.8", "a limit of events", setting("eventRecordQPS", lambda value: value > 0)),
    Check(
        "4.2.9",
        "TLS",
        setting("tlsPrivateKeyFile", bool, "`tlsCertFile`, `tlsPrivateKeyFile`"),
    ),
    Check(
        "4.2.10",
        "rotation of client certificates",
        setting("rotateCertificates", lambda value: value is True),
        RENEWED,
    ),
    Check(
        "4.2.11",
        "rotation of server certificates",
        setting("serverTLSBootstrap", lambda value: value is True),
        RENEWED,
    ),
    Check("4.2.12", "strong ciphers", strong_ciphers),
    Check("4.2.13", "a limit of processes", setting("podPidsLimit", lambda value: value > 0)),
    Check("4.2.14", "seccomp by default", setting("seccompDefault", lambda value: value is True)),
    Check("4.3.1", "metrics of kube-proxy on loopback", metrics),
]
CHECKS = [*FILES, *API_SERVER, *CONTROL, *ETCD, *AUDIT, *NODE, *KUBELET]


def table(rendered: Rendered) -> str:
    """The whole table, as Markdown."""
    head = "| id | check | result | setting or reason |\n|---|---|---|---|\n"
    return head + "\n".join(check.row(rendered) for check in CHECKS) + "\n"
