"""``vrooli restore --only vault``: earlier versions of a release's secrets in Vault."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from vrooli.cli.restores.request import RestoreRequest
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.errors import UsageError
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.backups import SecretRestoreView, VaultRestoreResult


def run(request: RestoreRequest) -> None:
    """Restore the secrets to a point, or to versions."""

    def work(listener: Listener) -> Awaitable[VaultRestoreResult]:
        from vrooli.workflows.restores.vault import VaultRestoreOptions, restore_vault

        numbers = dict(map(_parse, request.vault_versions))
        options = VaultRestoreOptions(
            request.environment, request.point, numbers, request.cluster, request.timeout_s
        )
        return restore_vault(options, listener, prompt.consent(yes=request.yes))

    execute(work, show, request.output, request.debug)


def _parse(text: str) -> tuple[str, int]:
    """A path and the number of a version."""
    path, _, number = text.rpartition("=")
    if not path or not (number.isascii() and number.isdigit()):
        raise UsageError(
            f"{text!r} is not a path and the number of a version.",
            "Write --vault-version secret/vrooli/secrets/redis=3.",
        )
    return path, int(number)


def show(result: VaultRestoreResult, console: Console) -> None:
    """Print the result."""
    tables.show_steps(result, console)
    console.print()
    for item in result.secrets:
        console.print(f"{item.path}: {_effect(item)}", markup=False)
    tables.show_notes(result.notes, console)
    if result.undo_command:
        console.print(
            f"To write the previous values again: `{result.undo_command}`",
            markup=False,
            soft_wrap=True,
        )


def _effect(item: SecretRestoreView) -> str:
    if item.version == item.previous_version:
        return f"version {item.version} has the values of version {item.restored_version} already."
    kept = f", and keeps {', '.join(item.kept_keys)}" if item.kept_keys else ""
    return f"version {item.version} has the values of version {item.restored_version}{kept}."
