"""Who may read Redis' password without a permission to read Secrets.

The Redis operator writes the password into redis.conf in a ConfigMap, and no setting of it changes
that. The role `view` of Kubernetes includes ConfigMaps, but no Secrets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.kube import Manifest
from vrooli.kube.objects import Body, items, ref_of, text, texts

RBAC = "rbac.authorization.k8s.io/v1"
READS = ("get", "list", "watch")
# Groups with the prefix of Kubernetes' own components that contain other accounts, too.
OPEN_GROUPS = ("system:authenticated", "system:unauthenticated", "system:serviceaccounts")
COMPONENTS = "kube-system"


@dataclass(frozen=True)
class Rights:
    """The role bindings that apply in a namespace, with their roles.

    Attributes:
        bindings: RoleBindings of the namespace and all ClusterRoleBindings.
        roles: Roles of the namespace and all ClusterRoles, by kind and name.
    """

    bindings: Sequence[Manifest]
    roles: Mapping[tuple[str, str], Manifest]

    def rules(self, binding: Body) -> Sequence[Body]:
        """The rules of a binding's role."""
        key = (text(binding, "roleRef", "kind"), text(binding, "roleRef", "name"))
        return items(self.roles.get(key, {}), "rules")


async def run(site: Site) -> CheckResult:
    """Read the bindings and roles, and name the accounts."""
    here = site.namespace
    role_bindings, cluster_bindings, roles, cluster_roles = await asyncio.gather(
        site.objects(RBAC, "RoleBinding", here),
        site.objects(RBAC, "ClusterRoleBinding"),
        site.objects(RBAC, "Role", here),
        site.objects(RBAC, "ClusterRole"),
    )
    by_name = {("Role", ref_of(item).name): item for item in roles}
    by_name |= {("ClusterRole", ref_of(item).name): item for item in cluster_roles}
    rights = Rights([*role_bindings, *cluster_bindings], by_name)
    failover, secret = _names(site)
    return judge(rights, here, f"rfr-{failover}", secret)


def judge(rights: Rights, namespace: str, config: str, secret: str) -> CheckResult:
    """The accounts that may read the ConfigMap and not the Secret.

    Args:
        rights: The bindings and roles.
        namespace: The release's namespace.
        config: The name of the ConfigMap with redis.conf.
        secret: The name of the Secret with the password.
    """
    configs, secrets = set[str](), set[str]()
    for binding in rights.bindings:
        rules = rights.rules(binding)
        subjects = set(_subjects(binding, namespace))
        if _may_read(rules, "configmaps", config):
            configs |= subjects
        if _may_read(rules, "secrets", secret):
            secrets |= subjects
    readers = sorted(configs - secrets)
    if not readers:
        return CheckResult(f"who may read ConfigMap {config} may read Secret {secret}, too")
    return CheckResult(
        f"accounts that read Redis' password without reading Secrets: {len(readers)}",
        warnings=(
            f"ConfigMap {config} in {namespace} contains Redis' password, and these accounts may "
            f"read it, but no Secrets: {', '.join(readers)}. Bind them to a role without "
            "ConfigMaps in this namespace",
        ),
    )


def _names(site: Site) -> tuple[str, str]:
    """The names of the RedisFailover and of the Secret with its password."""
    (failover, *_) = site.of_kind("RedisFailover")
    return failover.name, text(failover.body, "spec", "auth", "secretPath")


def _may_read(rules: Iterable[Body], resource: str, name: str) -> bool:
    return any(
        _has(rule, "apiGroups", "")
        and _has(rule, "resources", resource)
        and any(_has(rule, "verbs", verb) for verb in READS)
        and (not rule.get("resourceNames") or name in texts(rule, "resourceNames"))
        for rule in rules
    )


def _has(rule: Body, field: str, name: str) -> bool:
    return bool({"*", name} & set(texts(rule, field)))


def _subjects(binding: Body, namespace: str) -> Iterator[str]:
    """The subjects of a binding, without the components of Kubernetes."""
    for subject in items(binding, "subjects"):
        kind, name = text(subject, "kind"), text(subject, "name")
        if kind == "ServiceAccount":
            home = text(subject, "namespace") or namespace
            if home != COMPONENTS:
                yield f"{kind} {home}/{name}"
        elif not name.startswith("system:") or name.startswith(OPEN_GROUPS):
            yield f"{kind} {name}"


def skip_reason(site: Site) -> str:
    """Why the check is not needed."""
    return "" if site.of_kind("RedisFailover") else "these values have no RedisFailover"


CHECK = Check(
    "redis-password-readers",
    "Readers of Redis' password",
    "accounts that may read the ConfigMap in which the Redis operator writes the password, but no "
    "Secrets, are named; they do not stop a deploy",
    run,
    skip_reason,
)
