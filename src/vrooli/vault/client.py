"""A typed, asynchronous client of Vault's API: the only user of hvac, which is neither."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import hvac
import requests
import urllib3
from hvac import exceptions

from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.vault import answers, transport

Answer = TypeVar("Answer")

# Timeout of each part of a response, and of all that a call waits for, seconds.
REQUEST_S, TOTAL_S = 10, 60.0
RIGHTS_ADVICE = "Log in with more permissions, or ask the owner of the Vault to do it."
WRITE = "the capabilities create and update"


class VaultDeniedError(VrooliError):
    """Permission denied: the token's policies do not allow it, or the login is not accepted."""


class VaultSealedError(PrerequisiteError):
    """Vault is running, but sealed."""


class VaultConflictError(VrooliError):
    """A secret has another version than the one that was read."""


@dataclass(frozen=True)
class SecretVersion:
    """A version of a secret.

    Attributes:
        number: Its number.
        created: When it was written, by Vault's clock, UTC.
        values: Its values by key, strings unless another client wrote others; None if it was
            deleted or destroyed.
        is_destroyed: Whether its values cannot be recovered.
    """

    number: int
    created: datetime
    values: Mapping[str, Any] | None = field(default=None, repr=False)
    is_destroyed: bool = False


class VaultClient:
    """A client of one Vault, with or without a token.

    Args:
        address: The URL of the Vault.
        token: The token of all requests.
        verify: Whether its certificate must be valid for the address; a path is the file of the
            authorities that may have signed it.
        namespace: The namespace in Vault (Enterprise) of all requests; empty: none.
        server_name: The host that the certificate must be for; empty: that of the address.
    """

    def __init__(
        self,
        address: str,
        token: str | None = None,
        *,
        verify: bool | str = True,
        namespace: str = "",
        server_name: str = "",
    ) -> None:
        self.address, self.verify = address, verify
        if not verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        session = transport.new_session(verify, server_name)
        options: dict[str, Any] = {
            "url": address,
            "timeout": REQUEST_S,
            "verify": verify,
            "session": session,
        }
        self._hvac: Any = hvac.Client(token=token, namespace=namespace or None, **options)
        # Vault reports its health outside of namespaces only.
        self._root: Any = hvac.Client(**options) if namespace else self._hvac

    def close(self) -> None:
        """Close the connections."""
        self._hvac.adapter.close()
        self._root.adapter.close()

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
    async def create_secret(self, mount: str, path: str, values: Mapping[str, str]) -> bool:
        """Create a secret unless the path ever had one; returns whether it was created.

        Vault decides this (check-and-set), so concurrent runs cannot overwrite each other.
        """
        try:
            await self._call(
                f"create {mount}/{path}",
                lambda: self._hvac.secrets.kv.v2.create_or_update_secret(
                    path, secret=dict(values), cas=0, mount_point=mount
                ),
            )
        except VrooliError as error:
            if "check-and-set" in str(error.__cause__):
                return False
            raise
        return True

    @answers.checked
    async def read_secret(self, mount: str, path: str) -> dict[str, str] | None:
        """A secret's current values; None if there are none.

        Raises:
            VaultDeniedError: The token may not read it.
        """
        read = await self.read_version(mount, path)
        return None if read is None else read[0]

    @answers.checked
    async def read_version(self, mount: str, path: str) -> tuple[dict[str, str], int] | None:
        """A secret's current values and their version; None if there are none.

        Raises:
            VaultDeniedError: The token may not read it.
        """
        answer = await self._call_or_none(
            f"read {mount}/{path}",
            lambda: self._hvac.secrets.kv.v2.read_secret_version(
                path, mount_point=mount, raise_on_deleted_version=True
            ),
        )
        if answer is None:
            return None
        return dict(answer["data"]["data"]), int(answer["data"]["metadata"]["version"])

    @answers.checked
    async def version(self, mount: str, path: str, number: int = 0) -> SecretVersion | None:
        """A version of a secret, also a deleted one; None if Vault does not have it.

        Args:
            mount: The engine.
            path: The path below the engine.
            number: The number of the version; 0 is the current one.

        Raises:
            VaultDeniedError: The token may not read it.
        """
        name = f"version {number}" if number else "the current version"
        try:
            answer = await self._call(
                f"read {name} of {mount}/{path}",
                lambda: self._hvac.secrets.kv.v2.read_secret_version(
                    path, version=number, mount_point=mount, raise_on_deleted_version=True
                ),
                requires=f"the capability read at {mount}/data/{path}",
            )
        except VrooliError as error:
            # Vault answers 404 for a deleted version, too, but with the data that describe it.
            if not isinstance(cause := error.__cause__, exceptions.InvalidPath):
                raise
            if not (answer := cause.json) or not answer.get("data"):
                return None
        read = answer["data"]
        return SecretVersion(
            int(read["metadata"]["version"]),
            datetime.fromisoformat(read["metadata"]["created_time"]),
            read["data"],
            bool(read["metadata"]["destroyed"]),
        )

    @answers.checked
    async def write_version(
        self, mount: str, path: str, values: Mapping[str, str], read_version: int
    ) -> int:
        """Write a new version of a secret, if it still has the version that was read.

        Returns:
            The number of the new version.

        Raises:
            VaultConflictError: Somebody has changed it since; nothing was written.
            VaultDeniedError: The token may not write it.
        """
        try:
            answer = await self._call(
                f"write {mount}/{path}",
                lambda: self._hvac.secrets.kv.v2.create_or_update_secret(
                    path, secret=dict(values), cas=read_version, mount_point=mount
                ),
            )
        except VrooliError as error:
            if "check-and-set" in str(error.__cause__):
                raise VaultConflictError(
                    f"The secret {mount}/{path} in Vault was changed by somebody else in between; "
                    "nothing was written.",
                    "Run the same command again.",
                ) from error
            raise
        return int(answer["data"]["version"])

    @answers.checked
    async def secret_version(self, mount: str, path: str) -> int | None:
        """The number of a secret's current version; None if there is no secret.

        Raises:
            VaultDeniedError: The token may not read its metadata.
        """
        answer = await self._call_or_none(
            f"read the versions of {mount}/{path}",
            lambda: self._hvac.secrets.kv.v2.read_secret_metadata(path, mount_point=mount),
            requires=f"the capability read at {mount}/metadata/{path}",
        )
        return None if answer is None else int(answer["data"]["current_version"])

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

    async def _call_or_none(
        self, doing: str, call: Callable[[], Answer], *, requires: str = ""
    ) -> Answer | None:
        try:
            return await self._call(doing, call, requires=requires)
        except VrooliError as error:
            if isinstance(error.__cause__, exceptions.InvalidPath):
                return None
            raise

    async def _call(self, doing: str, call: Callable[[], Answer], *, requires: str = "") -> Answer:
        """Call Vault.

        Args:
            doing: What the call does, as in "Vault refused to read a secret".
            call: The call.
            requires: What a policy of the token must have, if it is one path.
        """
        try:
            return await transport.in_time(call, TOTAL_S)
        except exceptions.VaultDown as error:
            raise VaultSealedError(
                f"Vault at {self.address} is sealed or a standby: it could not {doing}.",
                "Unseal it, then run the command again.",
            ) from error
        except exceptions.Forbidden as error:
            advice = (
                f"The token's policies lack {requires}. Use a token whose policies allow it, or "
                "ask the owner of the Vault to do it."
            )
            raise VaultDeniedError(
                f"Vault at {self.address} refused to {doing}.",
                advice if requires else RIGHTS_ADVICE,
            ) from error
        except exceptions.VaultError as error:
            # Vault's messages contain paths and rules, but not the values of the request.
            raise VrooliError(f"Vault at {self.address} could not {doing}: {error}") from error
        except transport.RefusedResponseError as error:
            raise VrooliError(
                f"Vault at {self.address} answered a request to {doing} with {error}.",
                "Check whether this is the address of a Vault, and what is in between, such as a "
                "proxy.",
            ) from error
        except (requests.RequestException, TimeoutError) as error:
            raise PrerequisiteError(
                f"Vault at {self.address} did not answer a request to {doing}.",
                "Check whether its pod runs: `kubectl get pods -n vault`.",
            ) from error


def _sorted(value: Any) -> Any:
    """A sorted list, since Vault returns lists in another order; other values unchanged."""
    return sorted(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
