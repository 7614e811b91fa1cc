"""The published Secret, and what is remembered of it in case somebody deletes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vrooli_rotator.secrets import Secret, Secrets


class Published:
    """The Secret that pods and operators read.

    The keys that must not change by themselves are remembered in this program's own Secret: a
    published one that was deleted comes back with them, whatever Vault says by then.
    """

    def __init__(
        self, secrets: Secrets, name: str, state_secret: str, prefix: str, keys: Sequence[str]
    ) -> None:
        self._secrets = secrets
        self._name = name
        self._state_secret = state_secret
        self._prefix = prefix
        self._keys = keys

    async def get(self, source: Secret | None) -> Secret | None:
        """The Secret as it is, or as it was; None before the first publication."""
        present = await self._secrets.get(self._name)
        remembered = await self._remembered()
        if present is not None and all(present.data.get(key) for key in self._keys):
            if {key: present.data[key] for key in self._keys} != remembered:
                await self._remember(present.data)
            return present
        if len(remembered) < len(self._keys):
            return None
        others = source.data if source is not None else {}
        return await self._secrets.publish(self._name, {**others, **remembered})

    async def publish(self, data: Mapping[str, str], *, is_first: bool = False) -> Secret:
        """Publish other values, or the first ones."""
        secret = await self._secrets.publish(self._name, data, is_first=is_first)
        await self._remember(data)
        return secret

    async def _remembered(self) -> dict[str, str]:
        state = await self._secrets.get(self._state_secret)
        held = state.data if state is not None else {}
        names = {key: f"{self._prefix}.{key}" for key in self._keys}
        return {key: held[name] for key, name in names.items() if held.get(name)}

    async def _remember(self, data: Mapping[str, str]) -> None:
        state = {f"{self._prefix}.{key}": data[key] for key in self._keys if data.get(key)}
        await self._secrets.set(self._state_secret, state)
