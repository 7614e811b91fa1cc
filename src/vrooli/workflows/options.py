"""The options of develop and deploy, validated before anything changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from vrooli import project
from vrooli.artifact import model
from vrooli.chart import values as chart_values
from vrooli.environments import Environment, SecretsSource

# How long a release may take to become ready, seconds.
READY_S = 600.0


@dataclass(frozen=True)
class DevelopOptions:
    """What develop is asked for.

    Attributes:
        environment: Which environment, and so which release, namespace and values file.
        secrets_source: Where the release's secrets come from.
        cluster: The cluster as ``--cluster`` takes it; None picks one.
        values: More values files for the chart, the last one wins.
        ports: Ports of an embedded cluster on 127.0.0.1, by name (api, http, https); 0 takes
            any free one.
        secrets_file: Where the secrets are with the source ``file``; None is the usual place.
        discard_overrides: Deploy without the overrides of the release, and remove them.
        watch: Whether pods run edited files until the command ends.
    """

    environment: Environment
    secrets_source: SecretsSource = SecretsSource.VAULT
    cluster: str | None = None
    values: tuple[Path, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    secrets_file: Path | None = None
    discard_overrides: bool = False
    watch: bool = False

    def __post_init__(self) -> None:
        for file in self.values:
            chart_values.read(file)


class ChangeOptions(Protocol):
    """The options that every change of a release has.

    Attributes:
        environment: Whose values are used, and which release and namespace.
        rollback: Go back by itself when the release can't become ready.
        timeout_s: How long it may take to become ready, seconds.
        preserve_added: Keep the fields that people added to the release's objects by hand.
        discard_overrides: Apply it without the overrides of the release, and remove them.
    """

    @property
    def environment(self) -> Environment:
        """The environment."""

    @property
    def rollback(self) -> bool:
        """Whether it is rolled back."""

    @property
    def timeout_s(self) -> float:
        """The time limit, seconds."""

    @property
    def preserve_added(self) -> bool:
        """Whether added fields stay."""

    @property
    def discard_overrides(self) -> bool:
        """Whether the overrides are removed."""


@dataclass(frozen=True)
class DeployOptions:
    """What deploy is asked for.

    Attributes:
        environment: Whose values are used, and which release and namespace.
        version: The artifact's version; None takes the project's.
        artifact: The artifact's folder; None is where build puts that version.
        cluster: As ``--cluster`` takes it; None picks one.
        rollback: Go back by itself when the release can't become ready.
        timeout_s: How long it may take to become ready, seconds.
        preserve_added: Keep the fields that people added to the release's objects by hand.
        discard_overrides: Deploy without the overrides of the release, and remove them.
    """

    environment: Environment
    version: str | None = None
    artifact: Path | None = None
    cluster: str | None = None
    rollback: bool = True
    timeout_s: float = READY_S
    preserve_added: bool = False
    discard_overrides: bool = False

    def __post_init__(self) -> None:
        if self.version is not None:
            model.check_version(self.version)

    @property
    def folder(self) -> Path:
        """Where the artifact is."""
        version = self.version or project.version()
        return model.locate(self.artifact or model.folder_of(project.artifacts_dir() / version))
