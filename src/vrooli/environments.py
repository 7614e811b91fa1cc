"""The environments with their releases, the targets, and the sources of secrets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vrooli import project
from vrooli.errors import UsageError


@dataclass(frozen=True)
class Environment:
    """One environment of the specification.

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
        """The environment's values file, which overrides the chart's values."""
        return project.chart_dir() / f"values-{self.name}.yaml"


ENVIRONMENTS = {
    "dev": Environment("dev", "vrooli-dev", "dev"),
    "staging": Environment("staging", "vrooli-staging", "staging"),
    "prod": Environment("prod", "vrooli-prod", "production"),
}
# The specification's commands use both names.
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
    """The source of a release's secrets."""

    VAULT = "vault"
    FILE = "file"


# The deployment target; the specification's name for Kubernetes.
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
