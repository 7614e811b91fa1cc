"""A release and its revisions: names, numbers and Helm's statuses. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vrooli.environments import Environment

# Helm's statuses of an operation that has not ended; a Helm that is killed leaves them behind.
PENDING = ("pending-install", "pending-upgrade", "pending-rollback")
# Helm's status of the current revision; Helm does not wait for pods, so it may not be ready.
DEPLOYED = "deployed"


@dataclass(frozen=True)
class Release:
    """A release in one cluster.

    Attributes:
        name: The release's name.
        namespace: The namespace.
        kubeconfig: The path of the cluster's kubeconfig.
    """

    name: str
    namespace: str
    kubeconfig: Path

    def __str__(self) -> str:
        """The release as messages name it."""
        return f"{self.name} in namespace {self.namespace}"

    @classmethod
    def of(cls, environment: Environment, kubeconfig: Path) -> Release:
        """The release of an environment."""
        return cls(environment.release, environment.namespace, kubeconfig)


@dataclass(frozen=True)
class Revision:
    """One revision of a release. The defaults stand for a release that does not exist.

    Attributes:
        number: The revision's number; the first is 1.
        status: Helm's status: deployed, failed, pending-install, …
        chart: The chart's name and version.
        deployed_at: When Helm started the operation; None if the record has no valid time.
        description: Helm's description of the operation.
    """

    number: int = 0
    status: str = ""
    chart: str = ""
    deployed_at: datetime | None = None
    description: str = ""

    @property
    def is_pending(self) -> bool:
        """Whether Helm's operation has not ended."""
        return self.status in PENDING


def secret_name(release: str, number: int) -> str:
    """The name of the Secret in which Helm stores a revision."""
    return f"sh.helm.release.v1.{release}.v{number}"
