"""What mends a Vault that isn't ours: in words, and as the command that takes from nobody else.

No I/O here. What its roles and policies hold isn't known: whatever replaces a list or a policy as a
whole is read before.
"""

from __future__ import annotations

from collections.abc import Sequence

from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.components.vault import vault_service
from vrooli.diagnosis.evidence.components.vso import Login, Reading
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube.objects import Ref, text
from vrooli.vault.policies import PATHS

ACCOUNTS, NAMESPACES = "bound_service_account_names", "bound_service_account_namespaces"


def allow(evidence: Evidence, denied: Sequence[Reading]) -> tuple[str, str]:
    """What lets some secrets be read: in words, and the command."""
    auth, first = evidence.get(auth_of(denied[0])), denied[0]
    role = f"auth/{text(auth, 'spec', 'mount')}/role/{text(auth, 'spec', 'kubernetes', 'role')}"
    policies = {item.path: PATHS.get(text(item.secret, "spec", "path"), "") for item in denied}
    if not all(policies.values()):
        return (
            f"Add `{_rule(first.path)}` to a policy of the role's ({role}), and the like for each "
            "path; writing a policy replaces all of it, so keep what it has.",
            f"vault read -field=token_policies {role}",
        )
    return (
        f"The command adds a rule to each policy that is for these paths. If they are still "
        f"refused, the role doesn't have the policy: `vault read {role}` shows which it has.",
        " && ".join(_add(path, policy) for path, policy in sorted(policies.items())),
    )


def auth_of(reading: Reading) -> Ref:
    """The VaultAuth by which a secret is read."""
    return Ref("VaultAuth", text(reading.secret, "spec", "vaultAuthRef"), reading.about.namespace)


def _rule(path: str) -> str:
    return f'path "{path}" {{ capabilities = ["read"] }}'


def _add(path: str, policy: str) -> str:
    """The command that writes a policy with what it has and one rule more."""
    return (
        f"{{ vault policy read {policy}; echo '{_rule(path)}'; }} | vault policy write {policy} -"
    )


def widen(evidence: Evidence, login: Login, field: str) -> tuple[str, str]:
    """What has a role take the login's account or namespace, too: in words, and the command."""
    role = f"auth/{login.mount}/role/{login.role}"
    values = ",".join(
        dict.fromkeys(_bound(it, field) for it in vso.logins_with_role(evidence, login))
    )
    return (
        f"A write replaces the whole list: read what the role has, then `vault write {role} "
        f"{field}={values},...` with all that it has in place of the dots.",
        f"vault read {role}",
    )


def _bound(login: Login, field: str) -> str:
    return login.account if field == ACCOUNTS else login.about.namespace


def enable(evidence: Evidence, login: Login) -> tuple[str, str]:
    """What makes the method that a login asks for: in words, and the command."""
    command = f"vault auth enable -path={login.mount} kubernetes"
    role = vso.write_role(evidence, login)
    named = text(login.auth, "spec", "vaultConnectionRef")
    connection = evidence.get(Ref("VaultConnection", named, login.about.namespace))
    if vault_service(connection or {}) is None:
        return (
            f"enable it there, tell auth/{login.mount}/config how that Vault reaches this cluster "
            "and asks it about tokens (kubernetes_host, kubernetes_ca_cert, token_reviewer_jwt), "
            f"and write its role: `{role}`.",
            command,
        )
    config = f"auth/{login.mount}/config kubernetes_host=https://kubernetes.default.svc"
    return (
        "enable and configure it there, with its role. Vault's own account needs the right "
        "system:auth-delegator.",
        f"{command} && vault write {config} && {role}",
    )
