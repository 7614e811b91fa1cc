"""The names a person chooses from: environments with their releases, targets, secrets' sources."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vrooli import project
from vrooli.errors import UsageError


@dataclass(frozen=True)
class Environment:
    """One environment of the seed.

    Attributes:
        name: dev, staging or prod.
        release: The Helm release's name.
        namespace: The Kubernetes namespace.
    """

    name: str
    release: str
    namespace: str

    @property
    def values_file(self) -> Path:
        """The environment's values, which override the chart's own."""
        return project.chart_dir() / f"values-{self.name}.yaml"


ENVIRONMENTS = {
    "dev": Environment("dev", "vrooli-dev", "dev"),
    "staging": Environment("staging", "vrooli-staging", "staging"),
    "prod": Environment("prod", "vrooli-prod", "production"),
}
# The seed's commands say both.
ALIASES = {"development": "dev", "production": "prod"}


def environment(name: str) -> Environment:
    """The environment of that name.

    Raises:
        UsageError: There is none.
    """
    match = ENVIRONMENTS.get(ALIASES.get(name, name))
    if match is None:
        choices = ", ".join(ENVIRONMENTS)
        raise UsageError(f"There is no environment {name!r}.", f"Choose one of: {choices}.")
    return match


class SecretsSource(StrEnum):
    """Where a release's secrets come from."""

    VAULT = "vault"
    FILE = "file"


# What a release can run on; the seed's word for Kubernetes.
K8S_CLUSTER = "k8s-cluster"
TARGETS = (K8S_CLUSTER,)


def target(name: str) -> str:
    """The target of that name.

    Raises:
        UsageError: There is none.
    """
    if name not in TARGETS:
        choices = ", ".join(TARGETS)
        raise UsageError(f"There is no target {name!r}.", f"Choose one of: {choices}.")
    return name
