"""Write earlier versions of a release's secrets in Vault again, and lead them to its last pod."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vrooli import shell
from vrooli.backups import listing
from vrooli.backups import targets as points
from vrooli.environments import Environment
from vrooli.errors import PrerequisiteError, UsageError, VrooliError
from vrooli.events import Listener, LogLine, Progress, StepEnded
from vrooli.kube import Kube
from vrooli.release import Release, lease
from vrooli.rotation import targets, vault_values, versions
from vrooli.rotation.model import SyncedSecret
from vrooli.rotation.versions import Restoration
from vrooli.steps import run_steps
from vrooli.workflows import advice
from vrooli.workflows.clusters import access
from vrooli.workflows.restores.vault_run import SecretRestoreRun
from vrooli.workflows.results.backups import VaultRestoreResult
from vrooli.workflows.results.base import StepsResult
from vrooli.workflows.rotate import STAGE_S
from vrooli.workflows.safeguards import api_outages
from vrooli.workflows.safeguards.consent import CONFIRMED, Action, Consent


@dataclass(frozen=True)
class VaultRestoreOptions:
    """The options of a restore of secrets in Vault.

    Attributes:
        environment: The environment of the release.
        point: The ID of the point; empty with versions.
        versions: The numbers of versions by mount and path; empty with a point.
        cluster: As ``--cluster`` takes it; None picks one.
        timeout_s: How long each stage of a secret may take, seconds.
    """

    environment: Environment
    point: str = ""
    versions: Mapping[str, int] = field(default_factory=dict)
    cluster: str | None = None
    timeout_s: float = STAGE_S

    def __post_init__(self) -> None:
        if bool(self.point) is bool(self.versions):
            raise UsageError(
                "Secrets in Vault are restored to a point, or to versions.",
                "Use --point (`vrooli backups` lists the points) or --vault-version.",
            )


@dataclass(frozen=True)
class _Chosen:
    """The versions to restore, when they were recorded, and what is not restored."""

    versions: Mapping[str, int]
    recorded_at: datetime | None = None
    notes: tuple[str, ...] = ()


@api_outages.explained()
async def restore_vault(
    options: VaultRestoreOptions, listener: Listener, consent: Consent = CONFIRMED
) -> VaultRestoreResult:
    """Write earlier versions again as new versions, one secret after the other, and prove them.

    Raises:
        UsageError: There is no such point, it has no versions, a path is not one of the release, or
            the confirmation is missing.
        PrerequisiteError: A version cannot be read or written, or a deploy or a rotation runs.
        InterruptError: The user declined.
        VaultConflictError: Somebody else has changed a secret meanwhile.
        WaitTimeoutError: A stage took too long; the next call continues.
        VrooliError: A password of before is still accepted.
    """
    began = time.monotonic()
    async with access.connect(options.cluster) as reached:
        kube = reached.kube
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        await lease.demand_free(kube, release)
        runs, notes = await prepare(options, kube, release)
        for line in (*(run.restoration.describe() for run in runs), *notes):
            listener(LogLine("vault", line))
        _confirm(consent, options.environment, release, runs)
        ended: list[StepEnded] = []
        needed = [run for run in runs if run.is_needed]
        if needed:
            async with lease.hold(kube, release, Progress("vault", listener)):
                ended = await _restore(options, needed, listener)
    done = StepsResult.of(ended, time.monotonic() - began)
    return VaultRestoreResult(
        **dict(done),
        release=release.name,
        namespace=release.namespace,
        point=options.point or None,
        secrets=tuple(run.view() for run in runs),
        notes=notes,
        undo_command=_undo_command(options, runs),
    )


async def prepare(
    options: VaultRestoreOptions, kube: Kube, release: Release
) -> tuple[list[SecretRestoreRun], tuple[str, ...]]:
    """The secrets to restore and what is not restored, after all checks; nothing is changed.

    Raises:
        UsageError: There is no such point, it has no versions, or a path is not of the release.
        PrerequisiteError: A version cannot be read or written, or a rotation runs.
    """
    secrets = versions.by_place(await targets.synced(kube, options.environment))
    chosen = await _chosen(options, kube, release, secrets)
    return await _prepared(options, kube, release, secrets, chosen), chosen.notes


async def _restore(
    options: VaultRestoreOptions, runs: Sequence[SecretRestoreRun], listener: Listener
) -> list[StepEnded]:
    """Restore the secrets, one after the other; an error says how to return."""
    ended: list[StepEnded] = []
    try:
        for run in runs:
            ended += await run_steps(run.steps(), listener)
    except VrooliError as error:
        if command := _undo_command(options, runs):
            back = f"To bring the previous values back afterwards: `{command}`."
            error.advice = f"{error.advice} {back}".lstrip()
        raise
    return ended


async def _chosen(
    options: VaultRestoreOptions,
    kube: Kube,
    release: Release,
    secrets: Mapping[str, Sequence[SyncedSecret]],
) -> _Chosen:
    """The versions to restore, all of secrets that the release reads."""
    if not secrets:
        raise UsageError(
            f"{release.name} in {release.namespace} reads no secrets from Vault, or does not "
            "exist.",
            "`vrooli status` shows the release.",
        )
    if options.versions:
        if unknown := sorted(options.versions.keys() - secrets.keys()):
            raise UsageError(
                f"{release.name} does not read {', '.join(unknown)} from Vault.",
                f"It reads {', '.join(secrets)}.",
            )
        return _Chosen(options.versions)
    # Others can write the record of a point: it decides versions, not which secrets are written.
    point = points.at_point(await listing.fetch(kube, release), options.point).point
    if point is None or not point.vault.keys() & secrets.keys():
        raise UsageError(
            f"{options.point} has no versions of the secrets of {release.name} in Vault.",
            "`vrooli backups --output json` shows which points have them (vault_versions). "
            "--vault-version restores a version without a point.",
        )
    chosen = {name: number for name, number in point.vault.items() if name in secrets}
    return _Chosen(chosen, point.time, tuple(_notes(release, secrets, point.vault)))


def _notes(release: Release, secrets: Collection[str], recorded: Collection[str]) -> list[str]:
    """What is not restored: the difference of the release's secrets and those of the point."""
    return [
        *(
            f"{name} is not in the point and stays as it is"
            for name in secrets
            if name not in recorded
        ),
        *(
            f"{name} is in the point, but {release.name} does not read it any more"
            for name in recorded
            if name not in secrets
        ),
    ]


async def _prepared(
    options: VaultRestoreOptions,
    kube: Kube,
    release: Release,
    secrets: Mapping[str, tuple[SyncedSecret, ...]],
    chosen: _Chosen,
) -> list[SecretRestoreRun]:
    """Check everything that the restore needs, of all secrets before the first one changes."""
    first = next(secrets[name][0] for name in chosen.versions)
    async with vault_values.reach(kube, first) as vault:

        async def read(name: str, number: int) -> Restoration:
            mount, path = secrets[name][0].mount, secrets[name][0].path
            present = await vault.version(mount, path)
            earlier = await vault.version(mount, path, number) if number > 0 else None
            return Restoration(secrets[name], number, present, earlier, chosen.recorded_at)

        found = [await read(name, number) for name, number in sorted(chosen.versions.items())]
        if problems := [problem for item in found if (problem := item.problem())]:
            raise PrerequisiteError(
                f"{' '.join(item.text for item in problems)} Nothing was changed.",
                " ".join(dict.fromkeys(item.advice for item in problems)),
            )
        for item in found:
            if not item.is_equal:
                await vault_values.demand_write(vault, item.first)
    runs = [SecretRestoreRun(kube, release, item, options.timeout_s) for item in found]
    for run in runs:
        await run.prepare(options.environment, options.cluster)
    return runs


def _confirm(
    consent: Consent, environment: Environment, release: Release, runs: Sequence[SecretRestoreRun]
) -> None:
    """Ask before values change; equal ones need no answer."""
    if changed := [run for run in runs if not run.restoration.is_equal]:
        consent.demand(Action.RESTORE_VAULT, environment.name, _format_change(release, changed))


def _format_change(release: Release, runs: Sequence[SecretRestoreRun]) -> str:
    """What will be done, for the prompt."""
    names = ", ".join(run.restoration.place for run in runs)
    return (
        f"write earlier values of {names} of {release.name} to Vault as new versions; the pods "
        "that use them restart"
    )


def _undo_command(options: VaultRestoreOptions, runs: Sequence[SecretRestoreRun]) -> str:
    """The command that writes the values of before again; empty if there is none to show."""
    undone = [run.undo for run in runs if run.undo is not None]
    if not undone:
        return ""
    words = " ".join(
        f"--vault-version {shell.quote(f'{path}={number}')}" for path, number in undone
    )
    where = advice.same_release(options.environment, options.cluster)
    return shell.reject(f"vrooli restore --only vault {words} {where}", "")[0]
