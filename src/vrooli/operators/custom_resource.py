"""A kind that an operator serves: its names, and predicates over its objects. No I/O here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vrooli.kube.objects import Body, mapping
from vrooli.kube.snapshot import Snapshot
from vrooli.operators.volumes import VolumeSpec

SAMPLE_NAME = "vrooli-check"
# Why a resource is not ready, from its status and its pods; None if it is ready.
Readiness = Callable[[Body, Snapshot], str | None]
# What an operator refuses, or has not done yet, one sentence each.
Reasons = Callable[[Body, Snapshot], Iterator[str]]


def no_reasons(body: Body, objects: Snapshot) -> Iterator[str]:
    """The reasons of a resource whose operator never refuses or delays a change."""
    del body, objects
    return iter(())


def no_summary(body: Body, objects: Snapshot) -> str:
    """The summary of a resource of which nothing is counted."""
    del body, objects
    return ""


def no_volumes(body: Body) -> Iterator[VolumeSpec]:
    """The volumes of a resource without data."""
    del body
    return iter(())


@dataclass(frozen=True)
class CustomResource:
    """A kind that an operator serves. Its predicates are pure functions over objects.

    Attributes:
        api_version: Its API version.
        kind: Its kind.
        plural: Its plural, the first part of its definition's name.
        readiness: Why an object is not ready; None if existing is enough.
        summary: How much of an object is ready, for a progress line.
        refused_changes: Changes that the operator cannot make, however long one waits.
        pending_changes: Changes that the operator has still to make.
        volume_specs: The volumes that an object asks for.
        generation_field: The field of the status that holds the observed generation, if any.
        pod_label: The label of its pods that holds its name; empty if it has no pods.
    """

    api_version: str
    kind: str
    plural: str
    readiness: Readiness | None = None
    summary: Callable[[Body, Snapshot], str] = no_summary
    refused_changes: Reasons = no_reasons
    pending_changes: Reasons = no_reasons
    volume_specs: Callable[[Body], Iterator[VolumeSpec]] = no_volumes
    generation_field: str = ""
    pod_label: str = ""

    @property
    def group(self) -> str:
        """Its API group."""
        return self.api_version.partition("/")[0]

    @property
    def definition(self) -> str:
        """The name of its CustomResourceDefinition."""
        return f"{self.plural}.{self.group}"

    @property
    def has_data(self) -> bool:
        """Whether it is a database, with pods and volumes of its own."""
        return bool(self.pod_label)

    def is_observed(self, body: Body) -> bool | None:
        """Whether the operator has observed an object's last change; None if it does not report it.

        Operators report it once they have reconciled an object without an error.
        """
        observed = mapping(body, "status").get(self.generation_field)
        if observed is None:
            return None
        return int(observed) >= int(mapping(body, "metadata").get("generation", 0))


def build_sample(resource: CustomResource, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest valid object of a kind, for a dry run."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": SAMPLE_NAME},
        "spec": dict(spec),
    }
