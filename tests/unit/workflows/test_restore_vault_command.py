"""The command that takes a restore of secrets back has paths of objects, which others write."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from vrooli.environments import ENVIRONMENTS
from vrooli.workflows.restores import vault as restore_vault
from vrooli.workflows.restores.vault import VaultRestoreOptions


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("secret/redis", "--vault-version secret/redis=3"),
        ("secret/redis;id", "--vault-version 'secret/redis;id=3'"),
        ("secret/redis\u200b;id", ""),
        ("secret/redis\n;id", ""),
    ],
)
def test_a_path_is_quoted_or_no_command_is_shown(path: str, words: str) -> None:
    runs: list[Any] = [SimpleNamespace(undo=(path, 3))]
    options = VaultRestoreOptions(ENVIRONMENTS["dev"], point="p")
    command = restore_vault._undo_command(options, runs)
    assert (words in command) if words else not command
