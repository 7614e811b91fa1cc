"""What an operator is: one description for the install, readiness, checks, diagnosis and graph.

An operator of this product is one package with an `Operator`; `catalog.py` lists them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from vrooli import programs
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.kube.objects import Body, has_label
from vrooli.operators.custom_resource import CustomResource
from vrooli.operators.reconcile_log import ObjectLog, ReconcileError
from vrooli.operators.reconciliation import Evidence

# Gives the folder of a pinned Go module, by the name of its program group.
ModuleDir = Callable[[str, Progress], Awaitable[Path]]
# The objects that a version of an operator cannot manage, one sentence each.
UnsupportedResources = Callable[[str, Iterable[Body]], Iterator[str]]
# Reads from an operator's log which errors it repeats about an object: the last of each cause.
ReconcileErrors = Callable[[ObjectLog], list[ReconcileError]]
# The command that installs a missing operator.
INSTALL_COMMAND = "vrooli check --operators --fix"
# The verbs of a controller that follows objects, and of one that makes and removes them.
WATCH = ("get", "list", "watch")
MANAGE = ("create", "delete")


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
class Distribution:
    """An operator as one source provides it.

    Attributes:
        version: The operator's version.
        deployment: The name of its Deployment.
        images: The local images that it runs.
        release: The name of its Helm release; empty if Helm does not install it.
    """

    version: str
    deployment: str
    images: tuple[str, ...] = ()
    release: str = ""


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
    """The state of an operator's Deployment."""

    ABSENT = "absent"
    READY = "ready"
    NOT_READY = "not ready"


@dataclass(frozen=True)
class OperatorStatus:
    """The status of an operator in a cluster.

    Attributes:
        name: The operator's name.
        namespace: Where it runs.
        state: absent, ready or not ready.
        version: Its version, if it is known.
        source: vendor or go-module; "foreign" if this product did not install it.
        detail: Why it is not ready, or empty.
        notes: What a user should know about the version: archived, not supported, not known.
    """

    name: str
    namespace: str
    state: State
    version: str = ""
    source: str = ""
    detail: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Permission:
    """Verbs on a kind that an operator's service account needs.

    Attributes:
        verbs: The verbs.
        api_version: The kind's API version.
        kind: The kind.
        subresource: A subresource such as status; empty for the object itself.
    """

    verbs: tuple[str, ...]
    api_version: str
    kind: str
    subresource: str = ""


class Install(Protocol):
    """Installs an operator from one source."""

    async def __call__(
        self, operator: Operator, source: Source, site: Site, progress: Progress
    ) -> None:
        """Install an operator into its namespace, which exists; its pods may not be ready yet."""


def no_unsupported(version: str, bodies: Iterable[Body]) -> Iterator[str]:
    """The reasons of an operator whose versions manage the same objects."""
    del version, bodies
    return iter(())


async def is_always_restricted(kube: Kube) -> bool | None:
    """For operators whose pods meet the restricted pod security standard, or that make none."""
    del kube
    return True


@dataclass(frozen=True)
class Operator:
    """One operator.

    Attributes:
        name: Short and stable: postgres-operator, redis-operator, vault-secrets-operator.
        title: Its name in tables and lists.
        subject: Its name as the subject of a sentence.
        outage: What does not happen while it is down, as a main clause.
        namespace: The namespace that it is installed in.
        selector: The label selector of its Deployment and pods, in any namespace.
        vendor: The vendor's chart.
        distributions: What each source provides.
        inputs: All that decides what is installed; a change installs it again.
        install: Installs it.
        resources: The kinds that it serves.
        permissions: What its service account must be allowed to do.
        metrics_port: The port of its pods at which it serves metrics.
        unreconciled: Which objects it has not reconciled successfully since its start.
        sample: The smallest valid object of its main kind.
        reconcile_errors: Reads its log; None if its errors are in events or conditions.
        is_restricted: Whether the pods that it makes meet the restricted pod security standard;
            None if that is unknown.
        unsupported: Which objects a version of it cannot manage.
    """

    name: str
    title: str
    subject: str
    outage: str
    namespace: str
    selector: str
    vendor: VendorChart
    distributions: Mapping[Source, Distribution]
    inputs: Callable[[Source, Site], Mapping[str, Any]]
    install: Install
    resources: tuple[CustomResource, ...]
    permissions: tuple[Permission, ...]
    metrics_port: int
    unreconciled: Callable[[Evidence], Iterator[str]]
    sample: Mapping[str, Any]
    reconcile_errors: ReconcileErrors | None = None
    is_restricted: Callable[[Kube], Awaitable[bool | None]] = is_always_restricted
    unsupported: UnsupportedResources = no_unsupported

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that it serves."""
        return tuple(resource.kind for resource in self.resources)

    @property
    def groups(self) -> frozenset[str]:
        """The API groups that it serves."""
        return frozenset(resource.group for resource in self.resources)

    def is_run_by(self, deployment: Body) -> bool:
        """Whether a Deployment, in whichever namespace, runs the operator, by its labels."""
        return has_label(deployment, self.selector)

    def is_image(self, reference: str) -> bool:
        """Whether an image reference is the operator's own."""
        return self.name in reference.partition("@")[0].rpartition("/")[2]
