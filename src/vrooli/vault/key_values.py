"""The secrets of Vault's KV engine, version 2, and their versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hvac import exceptions

from vrooli.errors import VrooliError
from vrooli.vault import answers
from vrooli.vault.calls import Calls
from vrooli.vault.errors import VaultConflictError


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


class KeyValues(Calls):
    """The part of the client that reads and writes secrets."""

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
