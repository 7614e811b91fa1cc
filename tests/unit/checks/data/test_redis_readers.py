"""Accounts that read Redis' password from a ConfigMap are named."""

from __future__ import annotations

from typing import Any

import pytest

from vrooli.checks.data.redis_readers import Rights, judge

VIEW = ("get", "list", "watch")


def role(resources: list[str], verbs: tuple[str, ...] = VIEW, *names: str) -> dict[str, Any]:
    """A role with one rule."""
    rule: dict[str, Any] = {"apiGroups": [""], "resources": resources, "verbs": list(verbs)}
    return {"rules": [{**rule, "resourceNames": list(names)} if names else rule]}


def binding(role: str, *subjects: dict[str, str], kind: str = "ClusterRole") -> dict[str, Any]:
    """A binding of subjects to a role."""
    return {"roleRef": {"kind": kind, "name": role}, "subjects": list(subjects)}


def user(name: str) -> dict[str, str]:
    """A subject: a user."""
    return {"kind": "User", "name": name}


def account(namespace: str, name: str) -> dict[str, str]:
    """A subject: a service account."""
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


ROLES = {
    ("ClusterRole", "view"): role(["configmaps", "pods"]),
    ("ClusterRole", "edit"): role(["configmaps", "secrets"]),
    ("ClusterRole", "everything"): role(["*"], ("*",)),
    ("ClusterRole", "pods"): role(["pods"]),
    ("Role", "one"): role(["configmaps"], ("get",), "rfr-vrooli-rf"),
    ("Role", "another"): role(["configmaps"], ("get",), "other"),
    ("Role", "write"): role(["configmaps"], ("create", "patch")),
    ("Role", "password"): role(["secrets"], ("get",), "vrooli-redis-creds"),
}


def warnings(*bindings: dict[str, Any]) -> str:
    """The warnings of the check with these bindings."""
    rights = Rights(bindings, ROLES)
    return " ".join(judge(rights, "dev", "rfr-vrooli-rf", "vrooli-redis-creds").warnings)


@pytest.mark.parametrize("name", ["view", "one"])
def test_who_reads_the_config_map_and_no_secrets_is_named(name: str) -> None:
    kind = (ROLES.keys() & {("Role", name)} and "Role") or "ClusterRole"
    assert "User eve" in warnings(binding(name, user("eve"), kind=kind))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ClusterRole", "edit"),
        ("ClusterRole", "everything"),
        ("ClusterRole", "pods"),
        ("Role", "another"),
        ("Role", "write"),
        ("Role", "missing"),
    ],
)
def test_who_reads_secrets_or_no_config_map_is_not_named(kind: str, name: str) -> None:
    assert warnings(binding(name, user("eve"), kind=kind)) == ""


def test_rights_of_several_bindings_count_together() -> None:
    both = (
        binding("view", account("dev", "rotator")),
        binding("password", account("dev", "rotator"), kind="Role"),
    )
    assert warnings(*both) == ""
    assert "ServiceAccount dev/rotator" in warnings(both[0])


@pytest.mark.parametrize(
    ("subject", "is_named"),
    [
        ({"kind": "Group", "name": "system:authenticated"}, True),
        ({"kind": "Group", "name": "system:serviceaccounts:dev"}, True),
        ({"kind": "Group", "name": "oncall"}, True),
        (account("monitoring", "grafana"), True),
        (account("kube-system", "generic-garbage-collector"), False),
        (user("system:kube-controller-manager"), False),
        ({"kind": "Group", "name": "system:masters"}, False),
    ],
)
def test_components_of_kubernetes_are_not_named(subject: dict[str, str], is_named: bool) -> None:
    assert (subject["name"] in warnings(binding("view", subject))) is is_named
