"""The restore of one secret in Vault: written as a new version, followed to the pods, proven."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from vrooli.environments import Environment
from vrooli.errors import PrerequisiteError
from vrooli.events import Progress
from vrooli.grammar import counted
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.rotation import (
    expected,
    follow,
    proofs,
    readers,
    targets,
    values,
    vault_values,
)
from vrooli.rotation.model import Target
from vrooli.rotation.versions import Restoration
from vrooli.secrets import usable
from vrooli.steps import Done, Step
from vrooli.workflows import advice
from vrooli.workflows.results.backups import SecretRestoreView

REFUSED = "Run `vrooli diagnose` to find the cause, then restore another version."


@dataclass
class SecretRestoreRun:
    """The steps for one secret and the data that they share.

    Attributes:
        is_pending: Whether the cluster does not have the current version yet, although it is equal.
        version: The number of the new version; 0 until it is written.
    """

    kube: Kube
    release: Release
    restoration: Restoration
    timeout_s: float
    is_pending: bool = False
    version: int = 0
    pods: list[str] = field(default_factory=list)
    proof: str = ""
    previous: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do."""
        return self.is_pending or not self.restoration.is_equal

    @property
    def undo(self) -> tuple[str, int] | None:
        """The path and the number of the version of before; None if there is nothing to undo."""
        present = self.restoration.present
        if not self.version or present is None or present.values is None:
            return None
        return self.restoration.place, present.number

    @property
    def _rotated(self) -> Target | None:
        """The secret, if the rotator publishes it."""
        first = self.restoration.first
        return first if isinstance(first, Target) and first.rotator else None

    async def prepare(self, environment: Environment, cluster: str | None) -> None:
        """Check that the secret can change now; nothing is changed.

        Raises:
            PrerequisiteError: A rotation has not completed, or no rotator changes the password.
        """
        if self.restoration.is_equal:
            self.is_pending = await self._is_pending()
            return
        first, item = self.restoration.first, self.restoration
        if isinstance(first, Target) and first.name in targets.SOURCES:
            if first.rotator or first.kind.key in (*item.changed, *item.added):
                await targets.demand_rotator(self.kube, environment, first)
            if first.rotator and await self._is_rotating(first):
                where = advice.same_release(environment, cluster)
                raise PrerequisiteError(
                    f"A rotation of the password of {first.name} has not completed. Nothing was "
                    "changed.",
                    f"`vrooli rotate {first.name} {where}` continues it; then run the same command "
                    "again.",
                )

    async def _is_rotating(self, target: Target) -> bool:
        """Whether a usable password in Vault is not published, or the one before still accepted."""
        published, state = await self._published(target)
        current = self.restoration.before.get(target.kind.key, "")
        is_usable = bool(current) and not usable.problem(target.kind.key, current)
        return target.kind.state in state or (
            is_usable and not values.has_value(target.kind, published, current)
        )

    async def _published(self, target: Target) -> tuple[Mapping[str, str], Mapping[str, str]]:
        published = await targets.read(self.kube, target.namespace, target.published)
        return published, await targets.read(self.kube, target.namespace, target.state_secret)

    async def _is_pending(self) -> bool:
        """Whether an interrupted command has written the version, and the cluster lacks it."""
        target, current = self._rotated, self.restoration.after
        if target is not None:
            published, state = await self._published(target)
            value = str(current.get(target.kind.key, ""))
            if values.is_pending(target, published, state, value):
                return True
        for secret in self.restoration.secrets:
            for name in dict.fromkeys((secret.source, secret.published)):
                data = await targets.read(self.kube, secret.namespace, name)
                if not expected.has_arrived(secret, data, current):
                    return True
            if await readers.is_missing(self.kube, secret, expected.of_pods(secret, current)):
                return True
        return False

    def steps(self) -> list[Step]:
        """The steps, each after the one before."""
        name, changed = self.restoration.title, self._changed()
        steps = [
            Step(f"{name}-value", f"{name}: value in Vault", self.write),
            Step(f"{name}-secret", f"{name}: Secret", self.publish, (f"{name}-value",)),
        ]
        if any(expected.of_pods(item, *changed) for item in self.restoration.secrets):
            steps.append(Step(f"{name}-pods", f"{name}: pods", self.read, (f"{name}-secret",)))
            if self._rotated and self._rotated.kind.key in changed[0]:
                steps.append(
                    Step(f"{name}-refusal", f"{name}: login", self.prove, (f"{name}-pods",))
                )
        return steps

    def _changed(self) -> tuple[Mapping[str, object], Sequence[str]]:
        """The values that pods have to get, and the keys that they lose."""
        item = self.restoration
        keys = item.after if item.is_equal else (*item.changed, *item.added)
        return {key: item.after[key] for key in keys}, item.removed

    async def write(self, progress: Progress) -> Done:
        """Write the values as a new version, unless somebody has changed the secret meanwhile."""
        del progress
        item, target = self.restoration, self._rotated
        if target is not None:
            published, state = await self._published(target)
            current = str(item.after.get(target.kind.key, ""))
            self.previous = values.previous_data(target, published, state, current)
        number = item.present.number if item.present else 0
        if item.is_equal:
            return Done(False, f"continues with version {number} of {item.place}")
        first = item.first
        async with vault_values.connect(self.kube, first) as vault:
            self.version = await vault.write_version(first.mount, first.path, item.after, number)
        return Done(True, f"wrote version {self.version} with the content of {item.number}")

    async def publish(self, progress: Progress) -> Done:
        """Wait until the Secrets have the values."""
        item = self.restoration
        async with self._events(progress):
            for secret in item.secrets:
                await follow.request_sync(self.kube, secret)
                for name in dict.fromkeys((secret.source, secret.published)):
                    await follow.await_secret(
                        *(self.kube, secret.namespace, name),
                        partial(
                            expected.has_arrived, secret, values=item.after, removed=item.removed
                        ),
                        *(self.timeout_s, progress),
                    )
        names = dict.fromkeys(secret.published for secret in item.secrets)
        return Done(True, f"{', '.join(names)} has the values")

    async def read(self, progress: Progress) -> Done:
        """Wait until each pod uses the values."""
        pods: set[str] = set()
        async with self._events(progress):
            for secret in self.restoration.secrets:
                required = expected.of_pods(secret, *self._changed())
                pods.update(
                    await readers.await_values(
                        self.kube, secret, required, self.timeout_s, progress
                    )
                )
        self.pods = sorted(pods)
        return Done(True, f"{counted(len(pods), 'pod')} use the values")

    async def prove(self, progress: Progress) -> Done:
        """Require that the database accepts the password, and refuses the one in between."""
        target = self._rotated
        assert target is not None  # noqa: S101 - the step exists only with a rotator
        async with self._events(progress):
            await follow.await_completion(self.kube, target, self.timeout_s, progress)
        progress.report("logs in with both passwords")
        self.proof = await proofs.prove(self.kube, self.release, target, self.previous)
        return Done(False, self.proof)

    @asynccontextmanager
    async def _events(self, progress: Progress) -> AsyncIterator[None]:
        """Report the rotator's events during the block, if there is a rotator."""
        target = self._rotated
        if target is None:
            yield
            return
        async with follow.rotator_events(self.kube, target, progress, REFUSED):
            yield

    def view(self) -> SecretRestoreView:
        """The part of the result."""
        item = self.restoration
        before = item.present.number if item.present else 0
        return SecretRestoreView(
            path=item.place,
            restored_version=item.number,
            previous_version=before,
            version=self.version or before,
            changed_keys=item.changed,
            added_keys=item.added,
            removed_keys=item.removed,
            kept_keys=item.kept,
            pods=tuple(self.pods),
            proof=self.proof,
        )
