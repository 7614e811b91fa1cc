"""Objects whose deletion waits for an operator that does not run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from vrooli import operators, shell
from vrooli.errors import PrerequisiteError
from vrooli.kube import ApiError, Kube, Manifest
from vrooli.kube.objects import texts
from vrooli.operators import OPERATORS, Operator, OperatorStatus
from vrooli.operators.custom_resource import CustomResource
from vrooli.operators.model import INSTALL_COMMAND, State

# How long an operator may take to restart, and the interval between queries, seconds.
RESTART_S, POLL_S = 10.0, 1.0
# The number of objects that a message names.
NAMED = 3
NO_FINALIZERS = '{"metadata":{"finalizers":null}}'


@dataclass(frozen=True)
class Blocked:
    """The objects that only one operator can release, and its status.

    Attributes:
        operator: The operator, which does not run.
        status: Its status.
        objects: The kind of each object, and the object.
    """

    operator: Operator
    status: OperatorStatus
    objects: Sequence[tuple[CustomResource, Manifest]]

    @property
    def reason(self) -> str:
        """Which objects wait for which finalizer and operator."""
        named = [
            f"{resource.kind}/{body['metadata']['name']} (finalizer "
            f"{', '.join(texts(body, 'metadata', 'finalizers'))})"
            for resource, body in self.objects[:NAMED]
        ]
        rest = len(self.objects) - len(named)
        more = f" and {rest} more" if rest else ""
        detail = self.status.detail or self.status.state.value
        return (
            f"{', '.join(named)}{more}: {self.operator.subject} ({self.operator.name}) must "
            f"remove the finalizer, but it does not run: {detail}"
        )

    @property
    def advice(self) -> str:
        """How to start the operator, and how to delete the objects without it."""
        namespace = shell.label(self.status.namespace)
        selector = shell.selector(self.operator.selector)
        start = (
            f"Install it: `{INSTALL_COMMAND}`."
            if self.status.state is State.ABSENT
            else f"Start it: `kubectl scale deployment -n {namespace} -l {selector} --replicas=1`, "
            f"then `kubectl describe pods -n {namespace} -l {selector}` if it is not ready."
        )
        return shell.checked(
            f"{start} If it is gone for good, remove the finalizers: `{self._removal}`."
        )

    @property
    def _removal(self) -> str:
        names = [
            f"{shell.name(item.definition)}/{shell.name(body['metadata']['name'])}"
            for item, body in self.objects
        ]
        namespace = shell.label(self.objects[0][1]["metadata"]["namespace"])
        patch = shell.quote(NO_FINALIZERS)
        return f"kubectl patch {' '.join(names)} -n {namespace} --type=merge -p {patch}"


async def fetch_blocked(kube: Kube, namespace: str, wait_s: float = 0.0) -> list[Blocked]:
    """Find the objects with finalizers whose operator does not run.

    Args:
        kube: The cluster.
        namespace: The namespace.
        wait_s: How long an operator may take to become ready, seconds.
    """
    found = await asyncio.gather(*(_blocked(kube, item, namespace, wait_s) for item in OPERATORS))
    return [item for item in found if item is not None]


async def demand_operators(kube: Kube, namespace: str) -> None:
    """Check that the operators run that the deletion of the namespace's objects waits for.

    Raises:
        PrerequisiteError: One does not; the message names the objects and their finalizers.
    """
    blocked = await fetch_blocked(kube, namespace, RESTART_S)
    if blocked:
        reasons = "; ".join(item.reason for item in blocked)
        raise PrerequisiteError(
            f"The deletion would not end, and nothing was deleted. {reasons}.",
            " ".join(item.advice for item in blocked),
        )


async def _blocked(kube: Kube, operator: Operator, namespace: str, wait_s: float) -> Blocked | None:
    objects = [
        (resource, body)
        for resource in operator.resources
        for body in await _with_finalizers(kube, resource, namespace)
    ]
    if not objects:
        return None
    deadline = time.monotonic() + wait_s
    try:
        status = await operators.status(operator, kube)
        while status.state is State.NOT_READY and time.monotonic() < deadline:
            await asyncio.sleep(POLL_S)
            status = await operators.status(operator, kube)
    except ApiError:  # without the permission to read it, the deletion itself shows it
        return None
    return None if status.state is State.READY else Blocked(operator, status, objects)


async def _with_finalizers(kube: Kube, resource: CustomResource, namespace: str) -> list[Manifest]:
    try:
        bodies = await kube.list(resource.api_version, resource.kind, namespace)
    except ApiError:  # not served, or without the permission
        return []
    return [body for body in bodies if texts(body, "metadata", "finalizers")]
