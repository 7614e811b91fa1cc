"""What the workflows are asked for, checked before anything is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from vrooli.environments import Environment, SecretsSource
from vrooli.errors import UsageError


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
    """

    environment: Environment
    secrets_source: SecretsSource = SecretsSource.VAULT
    cluster: str | None = None
    values: tuple[Path, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    secrets_file: Path | None = None

    def __post_init__(self) -> None:
        for file in self.values:
            check_values_file(file)


def check_values_file(file: Path) -> None:
    """Check that a values file can be read and is a YAML mapping.

    Raises:
        UsageError: It isn't.
    """
    try:
        values = yaml.safe_load(file.read_text())
    except OSError as error:
        raise UsageError(f"The values file {file} can't be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"The values file {file} is no YAML: {error}") from error
    if values is not None and not isinstance(values, dict):
        raise UsageError(f"The values file {file} holds no mapping of names to values.")
