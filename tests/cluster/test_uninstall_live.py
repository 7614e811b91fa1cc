"""Uninstalling a release whose objects wait for an operator that does not run."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from support.cluster.live import Live
from vrooli import operators
from vrooli.errors import PrerequisiteError
from vrooli.events import Progress, silent
from vrooli.kube import Kube
from vrooli.operators import VSO
from vrooli.operators.model import State
from vrooli.release.rollout import wait
from vrooli.workflows.deploys.uninstall import uninstall
from vrooli.workflows.safeguards.consent import CONFIRMED

pytestmark = pytest.mark.root


@pytest.fixture
async def stopped_operator(kube: Kube) -> AsyncIterator[None]:
    """The Vault Secrets Operator without pods, until the test ends."""
    (deployment,) = await kube.list("apps/v1", "Deployment", None, VSO.selector)
    name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]

    async def scale(replicas: int) -> None:
        change = {"spec": {"replicas": replicas}}
        await kube.patch("apps/v1", "Deployment", name, namespace, change)

    await scale(0)
    try:
        yield
    finally:
        await scale(1)
        await wait.until_operator_ready(VSO, kube, Progress())


@pytest.mark.usefixtures("stopped_operator")
async def test_a_deletion_that_cannot_end_is_refused_before_anything_is_deleted(
    live: Live, kube: Kube
) -> None:
    """The finalizers of VSO's objects would keep the namespace for as long as VSO is stopped."""
    assert (await operators.status(VSO, kube)).state is State.NOT_READY
    with pytest.raises(PrerequisiteError, match=r"finalizer .*secrets\.hashicorp\.com") as raised:
        await uninstall(live.environment, live.cluster, silent, data=True, consent=CONFIRMED)
    assert "the Vault Secrets Operator" in raised.value.message
    assert "scaled to 0 pods" in raised.value.message
    assert "kubectl patch vault" in raised.value.advice
    namespace = await kube.get("v1", "Namespace", live.environment.namespace)
    assert namespace is not None
    assert "deletionTimestamp" not in namespace["metadata"]
