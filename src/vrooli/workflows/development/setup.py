"""Prepare a machine: its packages, the third-party programs and the images."""

from __future__ import annotations

import time
from dataclasses import dataclass

from vrooli import images
from vrooli.environments import SecretsSource, environment
from vrooli.events import Listener
from vrooli.steps import run_steps
from vrooli.workflows.development.develop import prepare
from vrooli.workflows.host.setup import Machine
from vrooli.workflows.options import DevelopOptions
from vrooli.workflows.results.base import StepsResult


@dataclass(frozen=True)
class SetupOptions:
    """The options of setup.

    Attributes:
        target: The target to prepare, too; None prepares this machine alone.
        cluster: The target's cluster, as ``--cluster`` takes it; None picks one.
        secrets_source: Whether the target gets Vault.
        update_images: Whether all images are built again from current packages.
    """

    target: str | None = None
    cluster: str | None = None
    secrets_source: SecretsSource = SecretsSource.VAULT
    update_images: bool = False


async def setup(options: SetupOptions, listener: Listener) -> StepsResult:
    """Prepare this machine and, if one is named, a target.

    Raises:
        VrooliError: The first step's error.
    """
    if options.update_images:
        images.renew()
    if options.target is not None:
        develop_options = DevelopOptions(
            environment("dev"), options.secrets_source, options.cluster
        )
        return await prepare(develop_options, listener)
    began = time.monotonic()
    ended = await run_steps(Machine().steps(), listener)
    return StepsResult.of(ended, time.monotonic() - began)
