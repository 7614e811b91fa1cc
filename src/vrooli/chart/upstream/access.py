"""Upstream's keys of the Ingress, of Vault and of existing Secrets."""

from __future__ import annotations

from vrooli.chart.upstream import changes
from vrooli.chart.upstream.rule import Rule, no, to, whole

INGRESS = (
    to("ingress.enabled", "ingress.enabled"),
    to("ingress.annotations[kubernetes.io/ingress.class]", "ingress.className"),
    to("ingress.className", "ingress.className"),
    to("ingress.annotations.*", "ingress.annotations.*", change=changes.text),
    to("ingress.hosts.*.host", "ingress.hosts.*.host"),
    to("ingress.hosts.*.paths.*.path", "ingress.hosts.*.paths.*.path"),
    to("ingress.hosts.*.paths.*.pathType", "ingress.hosts.*.paths.*.pathType"),
    *(
        to(
            f"ingress.hosts.*.paths.*.{key}",
            "ingress.hosts.*.paths.*.service",
            change=changes.service,
        )
        for key in ("service.name", "service")
    ),
    no("ingress.hosts.*.paths.*.service.port.**", "The port of the service applies."),
    no("ingress.hosts.*.paths.*.service.port", "The port of the service applies."),
    no("ingress.hosts.*.paths.*.port", "The port of the service applies."),
    to("ingress.tls.*.secretName", "ingress.tls.*.secretName"),
    to("ingress.tls.*.hosts.*", "ingress.tls.*.hosts.*"),
    to(
        "productionDomain",
        "ingress.hosts.*.host",
        "ingress.tls.*.hosts.*",
        change=changes.filled,
        note="replaces each host, as in upstream's templates",
    ),
    to(
        "tlsSecretName",
        "ingress.tls.*.secretName",
        change=changes.filled,
        note="replaces each name, as in upstream's templates",
    ),
)
VAULT = (
    to("vso.enabled", "vso.enabled"),
    to("vso.vaultAddr", "vso.vaultAddr"),
    to("vaultAddr", "vso.vaultAddr", change=changes.filled),
    to("vso.k8sAuthMount", "vso.k8sAuthMount"),
    to("vso.k8sAuthRole", "vso.k8sAuthRole"),
    Rule(
        "vso.appRoleId",
        ("vso.auth.appRole.roleId",),
        "replaces Kubernetes auth",
        also={
            "vso.auth.appRole.mount": "approle",
            "vso.auth.appRole.secretName": "vault-approle",
        },
    ),
    to("vso.appRoleMount", "vso.auth.appRole.mount"),
    to("vso.appRoleSecretRef", "vso.auth.appRole.secretName"),
    *(
        to(f"vso.secrets.*.{name}", f"vso.secrets.*.{name}")
        for name in ("enabled", "vaultPath", "k8sSecretName", "type")
    ),
    Rule(
        "vso.secrets.dockerhubPullSecret.templates",
        note="The chart has this template.",
        whole=True,
    ),
    whole(
        "vso.secrets.*.templates",
        "vso.secrets.*.templates",
        change=changes.templates,
        note="`.Data` becomes `.Secrets`",
    ),
    to(
        "externalDatabase.existingSecret",
        "vso.secrets.postgres.k8sSecretName",
        note="the Secret needs the keys DB_NAME, DB_USER and DB_PASSWORD",
    ),
    to(
        "externalRedis.existingSecret",
        "vso.secrets.redis.k8sSecretName",
        note="the Secret needs the key REDIS_PASSWORD",
    ),
    to("imagePullSecrets.*.name", "image.pullSecrets.*"),
)
