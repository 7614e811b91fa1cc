"""Remedies for a Vault that vrooli does not manage: texts and commands.

No I/O here. The content of its roles and policies is unknown, so commands that replace a list or a
policy read it first.
"""

from __future__ import annotations

from collections.abc import Sequence

from vrooli import shell
from vrooli.diagnosis.evidence.components import vso
from vrooli.diagnosis.evidence.components.vault import vault_service
from vrooli.diagnosis.evidence.components.vso import Login, Reading
from vrooli.diagnosis.evidence.model import Evidence
from vrooli.kube.objects import Ref, text
from vrooli.vault.policies import PATHS

ACCOUNTS, NAMESPACES = "bound_service_account_names", "bound_service_account_namespaces"


def allow(evidence: Evidence, denied: Sequence[Reading]) -> tuple[str, str]:
    """The remedy that allows reading some secrets: text and command.

    The text is empty for the development Vault, which setup configures.
    """
    if vso.ours(evidence, auth_of(denied[0])):
        return "", vso.SETUP
    auth, first = evidence.get(auth_of(denied[0])), denied[0]
    mount, name = text(auth, "spec", "mount"), text(auth, "spec", "kubernetes", "role")
    role = f"auth/{shell.path(mount)}/role/{shell.key(name)}"
    policies = {item.path: PATHS.get(text(item.secret, "spec", "path"), "") for item in denied}
    if not all(policies.values()):
        return (
            f"Add `{_rule(first.path)}` to a policy of the role ({role}), and the same for each "
            "path. Writing a policy replaces it, so keep its existing rules.",
            f"vault read -field=token_policies {role}",
        )
    return (
        "The command adds a rule to each policy of these paths. If they are still denied, the role "
        f"does not have the policy: `vault read {role}` shows its policies.",
        " && ".join(_add(path, policy) for path, policy in sorted(policies.items())),
    )


def auth_of(reading: Reading) -> Ref:
    """The VaultAuth of a secret."""
    return Ref("VaultAuth", text(reading.secret, "spec", "vaultAuthRef"), reading.about.namespace)


def _rule(path: str) -> str:
    return f'path "{shell.path(path)}" {{ capabilities = ["read"] }}'


def _add(path: str, policy: str) -> str:
    """The command that adds a rule to a policy."""
    return (
        f"{{ vault policy read {shell.key(policy)}; echo '{_rule(path)}'; }} | vault policy "
        f"write {shell.key(policy)} -"
    )


def widen(evidence: Evidence, login: Login, field: str) -> tuple[str, str]:
    """The remedy that adds the login's account or namespace to a role: text and command.

    The text is empty for the development Vault, which setup configures.
    """
    if vso.ours(evidence, login.about):
        return "", vso.SETUP
    role = f"auth/{shell.path(login.mount)}/role/{shell.key(login.role)}"
    values = ",".join(
        dict.fromkeys(_bound(it, field) for it in vso.logins_with_role(evidence, login))
    )
    return (
        f"A write replaces the whole list: read the role first, then run `vault write {role} "
        f"{field}={shell.names(values)},...` with its existing values instead of the dots.",
        f"vault read {role}",
    )


def _bound(login: Login, field: str) -> str:
    return login.account if field == ACCOUNTS else login.about.namespace


def enable(evidence: Evidence, login: Login) -> tuple[str, str]:
    """The remedy that enables the auth method of a login: text and command."""
    command = f"vault auth enable -path={shell.path(login.mount)} kubernetes"
    config = f"auth/{shell.path(login.mount)}/config"
    role = vso.write_role(evidence, login)
    named = text(login.auth, "spec", "vaultConnectionRef")
    connection = evidence.get(Ref("VaultConnection", named, login.about.namespace))
    if vault_service(connection or {}) is None:
        return (
            f"enable it there, configure {config} with the address and "
            "credentials of this cluster (kubernetes_host, kubernetes_ca_cert, "
            f"token_reviewer_jwt), and create the role: `{role}`.",
            command,
        )
    return (
        "enable and configure it there, with its role. Vault's service account needs the cluster "
        "role system:auth-delegator.",
        f"{command} && vault write {config} kubernetes_host=https://kubernetes.default.svc "
        f"&& {role}",
    )
