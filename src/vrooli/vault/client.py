"""A typed, asynchronous client of Vault's API: its health, logins, engines, policies and roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.vault import answers
from vrooli.vault.errors import VaultDeniedError, VaultSealedError
from vrooli.vault.key_values import KeyValues

WRITE = "the capabilities create and update"


class VaultClient(KeyValues):
    """A client of one Vault, with or without a token."""

    @answers.checked
    async def check_ready(self) -> None:
        """Check that Vault responds and is unsealed.

        Raises:
            PrerequisiteError: It does not respond, or is not initialized.
            VaultSealedError: It is sealed.
        """
        state = await self._call(
            "report its health", lambda: self._root.sys.read_health_status(method="GET")
        )
        health = state if isinstance(state, dict) else state.json()
        if not health["initialized"]:
            raise PrerequisiteError(
                f"Vault at {self.address} is not initialized.",
                "Read its log: `kubectl logs -n vault vault-0`.",
            )
        if health["sealed"]:
            raise VaultSealedError(
                f"Vault at {self.address} is sealed.",
                "Unseal it (`bao operator unseal`). The development Vault unseals itself when its "
                "pod starts: `kubectl delete pod -n vault vault-0`. Then read its log.",
            )

    @answers.checked
    async def log_in(self, role: str, service_account_token: str, mount: str = "kubernetes") -> str:
        """Log in as a service account; later requests use the token.

        Returns:
            The token.

        Raises:
            VaultDeniedError: The role does not accept this account.
        """
        answer = await self._call(
            f"log in role {role}",
            lambda: self._hvac.auth.kubernetes.login(
                role=role, jwt=service_account_token, mount_point=mount
            ),
        )
        return str(answer["auth"]["client_token"])

    @answers.checked
    async def ensure_kv(self, mount: str) -> bool:
        """Mount a KV engine of version 2 unless one is mounted; returns whether it was mounted.

        Raises:
            VrooliError: Another engine is mounted at the path.
        """
        mounts = await self._call(
            "list its engines",
            self._hvac.sys.list_mounted_secrets_engines,
            requires="the capability read at sys/mounts",
        )
        engine = mounts["data"].get(f"{mount}/")
        if engine is None:
            await self._call(
                f"mount {mount}/",
                lambda: self._hvac.sys.enable_secrets_engine("kv-v2", path=mount),
                requires=f"{WRITE} at sys/mounts/{mount}",
            )
            return True
        if engine["type"] != "kv" or (engine.get("options") or {}).get("version") != "2":
            raise VrooliError(
                f"Vault at {self.address} has the engine {engine['type']} at {mount}/ instead of "
                "a KV engine of version 2.",
                "Move that engine, or use another Vault.",
            )
        return False

    @answers.checked
    async def ensure_policy(self, name: str, rules: str) -> bool:
        """Create or update a policy; returns whether it was changed."""
        read = await self._call_or_none(
            f"read policy {name}", lambda: self._hvac.sys.read_policy(name)
        )
        if read is not None and read["data"]["rules"] == rules:
            return False
        await self._call(
            f"write policy {name}",
            lambda: self._hvac.sys.create_or_update_policy(name, rules),
            requires=f"{WRITE} at sys/policy/{name}",
        )
        return True

    @answers.checked
    async def ensure_role(self, mount: str, name: str, settings: Mapping[str, Any]) -> bool:
        """Create or update a role of Kubernetes authentication; returns whether it was changed."""
        path = f"auth/{mount}/role/{name}"
        read = await self._call_or_none(f"read role {name}", lambda: self._hvac.read(path))
        if read is not None and all(
            _sorted(read["data"].get(key)) == _sorted(value) for key, value in settings.items()
        ):
            return False
        await self._call(
            f"write role {name}",
            lambda: self._hvac.write_data(path, data=dict(settings)),
            requires=f"{WRITE} at {path}",
        )
        return True

    @answers.checked
    async def role(self, mount: str, name: str) -> dict[str, Any] | None:
        """The settings of a role of Kubernetes authentication; None if it does not exist."""
        read = await self._call_or_none(
            f"read role {name}", lambda: self._hvac.read(f"auth/{mount}/role/{name}")
        )
        return None if read is None else dict(read["data"])

    @answers.checked
    async def use_token_of(self, policies: Sequence[str], ttl_s: int) -> None:
        """Use a new token with these policies for later requests."""
        answer = await self._call(
            "create a token",
            lambda: self._hvac.auth.token.create(
                policies=list(policies), ttl=f"{ttl_s}s", no_parent=True
            ),
        )
        self._hvac.token = answer["auth"]["client_token"]

    @answers.checked
    async def policy(self, name: str) -> str | None:
        """The rules of a policy; None if it does not exist."""
        read = await self._call_or_none(
            f"read policy {name}", lambda: self._hvac.sys.read_policy(name)
        )
        return None if read is None else str(read["data"]["rules"])

    @answers.checked
    async def own_policies(self) -> list[str]:
        """The policies of the current token."""
        answer = await self._call("look up the current token", self._hvac.auth.token.lookup_self)
        return [str(name) for name in answer["data"]["policies"]]

    @answers.checked
    async def capabilities(self, paths: Sequence[str]) -> dict[str, frozenset[str]]:
        """The capabilities of the current token at each path; ``deny`` means none."""
        answer = await self._call(
            "list the capabilities of the current token",
            lambda: self._hvac.write_data("sys/capabilities-self", data={"paths": list(paths)}),
        )
        return {path: frozenset(answer["data"][path]) for path in paths}

    @answers.checked
    async def engine(self, mount: str) -> str:
        """Type and version of the engine at a mount, such as "kv 2"; empty if unknown."""
        path = f"sys/internal/ui/mounts/{mount}"
        try:
            read = await self._call_or_none(f"describe {mount}/", lambda: self._hvac.read(path))
        except VaultDeniedError:
            return ""
        if read is None:
            return ""
        version = (read["data"].get("options") or {}).get("version", "1")
        return f"{read['data']['type']} {version}"


def _sorted(value: Any) -> Any:
    """A sorted list, since Vault returns lists in another order; other values unchanged."""
    return sorted(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
