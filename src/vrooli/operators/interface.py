"""What every operator offers, and what it is installed with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from vrooli import programs
from vrooli.events import Progress
from vrooli.kube import Kube

# Gives the folder of a pinned Go module, by the name of its program group.
ModuleDir = Callable[[str, Progress], Awaitable[Path]]


class Source(StrEnum):
    """Where an operator comes from."""

    VENDOR = "vendor"
    GO_MODULE = "go-module"


@dataclass(frozen=True)
class VendorChart:
    """A vendor's Helm chart.

    Attributes:
        name: The chart's name in its repository.
        version: The chart's version, which may differ from the operator's.
        repositories: Where it is served, best first: https://… (with an index.yaml) or oci://….
    """

    name: str
    version: str
    repositories: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """Where an operator is installed, and with what.

    Attributes:
        kube: The cluster.
        kubeconfig: Its file, for Helm.
        image_hashes: What each local image was built from, by reference: a changed one
            restarts the operator that runs it.
        module_dir: Gives the folder of a pinned Go module.
    """

    kube: Kube
    kubeconfig: Path
    image_hashes: Mapping[str, str] = field(default_factory=dict)
    module_dir: ModuleDir = programs.module_dir


class State(StrEnum):
    """How an operator is."""

    ABSENT = "absent"
    READY = "ready"
    NOT_READY = "not ready"


@dataclass(frozen=True)
class OperatorStatus:
    """What is known of an operator in a cluster.

    Attributes:
        name: The operator's name.
        namespace: Where it runs.
        state: absent, ready or not ready.
        version: Its version, as far as it says.
        source: vendor or go-module; "foreign" when someone else installed it.
        detail: What it lacks, or empty.
    """

    name: str
    namespace: str
    state: State
    version: str = ""
    source: str = ""
    detail: str = ""


class Operator(Protocol):
    """One operator: what it is, how it is installed, when it is healthy."""

    @property
    def name(self) -> str:
        """Short and stable: postgres-operator, redis-operator, vault-secrets-operator."""

    @property
    def title(self) -> str:
        """What a person reads."""

    @property
    def namespace(self) -> str:
        """The namespace of its own."""

    @property
    def selector(self) -> str:
        """The label selector of its Deployment, wherever it comes from."""

    @property
    def vendor(self) -> VendorChart:
        """The vendor's chart."""

    def version(self, source: Source) -> str:
        """The operator's version from that source."""

    def deployment(self, source: Source) -> str:
        """The name of its Deployment when it comes from there."""

    def images(self, source: Source) -> tuple[str, ...]:
        """The local images that it runs when it comes from there."""

    def inputs(self, source: Source, site: Site) -> Mapping[str, Any]:
        """Everything that decides what is installed; a change installs it again."""

    async def install(self, source: Source, site: Site, progress: Progress) -> None:
        """Put it into its namespace, which exists. Need not wait for its pods."""
