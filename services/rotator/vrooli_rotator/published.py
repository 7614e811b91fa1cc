"""The published Secret, and its copy in the state Secret in case it is deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vrooli_rotator.secrets import Secret, Secrets


class Published:
    """The Secret that pods and operators read.

    The credentials are also stored in the state Secret. A published Secret that was deleted is
    restored with them, even if Vault has changed since.
    """

    def __init__(
        self, secrets: Secrets, name: str, state_secret: str, prefix: str, keys: Sequence[str]
    ) -> None:
        self._secrets = secrets
        self._name = name
        self._state_secret = state_secret
        self._prefix = prefix
        self._keys = keys

    async def get(self, source: Secret | None, state: Mapping[str, str]) -> Secret | None:
        """The Secret, restored if it was deleted; None before the first publication.

        Args:
            source: The Secret that Vault's operator syncs, for the other keys of a restored one.
            state: The data of the state Secret.
        """
        present = await self._secrets.get(self._name)
        stored = self._stored(state)
        if present is not None and all(present.data.get(key) for key in self._keys):
            if {key: present.data[key] for key in self._keys} != stored:
                await self._store(present.data)
            return present
        if len(stored) < len(self._keys):
            return None
        others = source.data if source is not None else {}
        return await self._secrets.publish(self._name, {**others, **stored})

    async def publish(self, data: Mapping[str, str], *, is_first: bool = False) -> Secret:
        """Publish new values."""
        secret = await self._secrets.publish(self._name, data, is_first=is_first)
        await self._store(data)
        return secret

    def _stored(self, state: Mapping[str, str]) -> dict[str, str]:
        names = {key: f"{self._prefix}.{key}" for key in self._keys}
        return {key: state[name] for key, name in names.items() if state.get(name)}

    async def _store(self, data: Mapping[str, str]) -> None:
        state = {f"{self._prefix}.{key}": data[key] for key in self._keys if data.get(key)}
        await self._secrets.set(self._state_secret, state)
