"""An earlier version of a secret in Vault, and what writing it again changes. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vrooli import shell
from vrooli.checks.vault.keys import NEEDED
from vrooli.operators.vso import templates
from vrooli.rotation.model import SyncedSecret, Target
from vrooli.secrets import usable
from vrooli.vault.key_values import SecretVersion

# How much the clocks of Vault and PostgreSQL may differ.
CLOCKS = timedelta(minutes=1)
ANOTHER_POINT = "Restore another point (`vrooli backups`), or name a version with --vault-version."


@dataclass(frozen=True)
class Problem:
    """Why a version cannot be restored, and what to do."""

    text: str
    advice: str


@dataclass(frozen=True)
class Restoration:
    """A secret in Vault, and the version whose content is written again as a new version.

    Attributes:
        secrets: What copies it to the cluster; all have the same path.
        number: The number of the version that is restored.
        present: The current version; None if Vault has no such secret.
        earlier: The version that is restored; None if Vault does not have it.
        recorded_at: When the version was current, UTC; None if unknown.
    """

    secrets: tuple[SyncedSecret, ...]
    number: int
    present: SecretVersion | None
    earlier: SecretVersion | None
    recorded_at: datetime | None = None

    @property
    def first(self) -> SyncedSecret:
        """What copies it; the one that can be rotated, if any."""
        rotated = [item for item in self.secrets if isinstance(item, Target)]
        return [*rotated, *self.secrets][0]

    @property
    def place(self) -> str:
        """Mount and path."""
        return place(self.first)

    @property
    def title(self) -> str:
        """The last name of its path."""
        return self.first.path.rpartition("/")[2]

    @property
    def before(self) -> Mapping[str, Any]:
        """The values of the current version."""
        return (self.present.values if self.present else None) or {}

    @property
    def after(self) -> Mapping[str, Any]:
        """The values that are written: those of the earlier version, and the kept ones."""
        values = (self.earlier.values if self.earlier else None) or {}
        return {**{key: self.before[key] for key in self.kept}, **values}

    @property
    def required(self) -> frozenset[str]:
        """The keys without which the release does not work, or VSO does not write the Secret."""
        keys = [NEEDED.get(self.first.path, frozenset())]
        keys += [templates.secret_keys(item.sync) for item in self.secrets]
        keys += [frozenset((item.kind.key,)) for item in self.secrets if isinstance(item, Target)]
        return frozenset().union(*keys)

    @property
    def kept(self) -> tuple[str, ...]:
        """The required keys that the earlier version lacks: their values stay the current ones."""
        values = (self.earlier.values if self.earlier else None) or {}
        return tuple(sorted((self.required & self.before.keys()) - values.keys()))

    @property
    def changed(self) -> tuple[str, ...]:
        """The keys that get another value."""
        common = self.before.keys() & self.after.keys()
        return tuple(sorted(key for key in common if self.before[key] != self.after[key]))

    @property
    def added(self) -> tuple[str, ...]:
        """The keys that the current version lacks."""
        return tuple(sorted(self.after.keys() - self.before.keys()))

    @property
    def removed(self) -> tuple[str, ...]:
        """The keys that only the current version has."""
        return tuple(sorted(self.before.keys() - self.after.keys()))

    @property
    def is_equal(self) -> bool:
        """Whether the current version has these values already."""
        is_deleted = self.present is None or self.present.values is None
        return not is_deleted and self.before == self.after

    def describe(self) -> str:
        """The versions and the names of the keys, in one line."""
        now = self.present.number if self.present else 0
        state = " (deleted)" if self.present and self.present.values is None else ""
        groups = (
            ("changes", self.changed, ""),
            ("adds", self.added, ""),
            ("removes", self.removed, ""),
            ("keeps", self.kept, ", which the release requires"),
        )
        texts = [f"{verb} {', '.join(keys)}{end}" for verb, keys, end in groups if keys]
        effect = "the values are equal" if self.is_equal else "; ".join(texts) or "no values"
        return f"{self.place}: version {now}{state} -> {self.number}: {effect}"

    def problem(self) -> Problem | None:
        """Why it cannot be restored; None if it can."""
        name = f"version {self.number} of {self.place}"
        if self.present is None:
            return Problem(
                f"Vault has no secret {self.place} any more, nor its versions.",
                "Create it: `vrooli setup` does so in the development Vault, with new values.",
            )
        if self.earlier is None:
            return Problem(f"Vault does not have {name} (any more).", ANOTHER_POINT)
        if self.earlier.is_destroyed:
            return Problem(f"The values of {name} were destroyed.", ANOTHER_POINT)
        if self.earlier.values is None:
            return Problem(f"{name[0].upper()}{name[1:]} was deleted.", self._undelete())
        if self.recorded_at and self.earlier.created > self.recorded_at + CLOCKS:
            return Problem(
                f"{self.place} was created again after the point: its version {self.number} is "
                "not the recorded one.",
                ANOTHER_POINT,
            )
        return self._unusable(name)

    def _undelete(self) -> str:
        mount, path = shell.path(self.first.mount), shell.path(self.first.path)
        return shell.checked(
            f"Bring it back: `vault kv undelete -mount={mount} -versions={self.number} {path}`. "
            "Then run the same command again."
        )

    def _unusable(self, name: str) -> Problem | None:
        if missing := sorted(self.required - self.after.keys()):
            return Problem(
                f"Neither {name} nor the current one has {', '.join(missing)}, which the release "
                "requires.",
                "Write it to the secret first, or roll the release back to the revision of the "
                "point (`vrooli rollback`).",
            )
        needed = NEEDED.get(self.first.path, frozenset())
        for key in sorted(self.required.intersection((*self.changed, *self.added))):
            is_empty = key in needed and self.after[key] == ""
            reason = "it is empty" if is_empty else usable.problem(key, self.after[key])
            if reason:
                return Problem(f"{key} of {name} cannot be used: {reason}.", ANOTHER_POINT)
        return None


def place(secret: SyncedSecret) -> str:
    """Mount and path of a secret, as points record them."""
    return f"{secret.mount}/{secret.path}"


def by_place(secrets: Sequence[SyncedSecret]) -> dict[str, tuple[SyncedSecret, ...]]:
    """The secrets by mount and path."""
    places = sorted({place(item) for item in secrets})
    return {name: tuple(item for item in secrets if place(item) == name) for name in places}
