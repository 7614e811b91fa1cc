"""The operators and Vault in the result of `status`, each with the failure of its pods."""

from __future__ import annotations

from functools import partial
from typing import TypeVar

from vrooli import operators, vault
from vrooli.kube import Kube
from vrooli.kube.objects import label_selector
from vrooli.operators import Operator, OperatorStatus
from vrooli.operators.model import State
from vrooli.vault import manifests as vault_manifests
from vrooli.workflows.health import failures
from vrooli.workflows.health.fetcher import StatusFetcher
from vrooli.workflows.health.problems import READY
from vrooli.workflows.results.status import OperatorView, VaultView

View = TypeVar("View", OperatorView, VaultView)
VAULT = "Vault"


async def fetch_operator(
    kube: Kube, operator: Operator, fetcher: StatusFetcher
) -> OperatorView | None:
    """Fetch the state of an operator; None if it could not be read."""
    status = await fetcher.at(operator.title, partial(operators.status, operator, kube))
    if status is None:
        return None
    view = _operator(status)
    if status.state is not State.NOT_READY:
        return view
    add = partial(failures.add_failure, kube, view.detail, view.namespace, operator.selector)
    return _with_detail(view, await fetcher.at(f"the pods of {operator.title}", add))


async def fetch_vault(kube: Kube, fetcher: StatusFetcher) -> VaultView | None:
    """Fetch the state of the development Vault; None if it could not be read."""
    status = await fetcher.at(VAULT, partial(vault.status, kube))
    if status is None:
        return None
    view = VaultView(**vars(status))
    if status.state != State.NOT_READY:
        return view
    namespace, selector = vault_manifests.NAMESPACE, label_selector(vault_manifests.SELECTOR)
    add = partial(failures.add_failure, kube, view.detail, namespace, selector)
    return _with_detail(view, await fetcher.at(VAULT, add))


def _with_detail(view: View, detail: str | None) -> View:
    """The view with this detail, or with its own if none could be read."""
    return view.model_copy(update={"detail": detail or view.detail})


def _operator(operator: OperatorStatus) -> OperatorView:
    return OperatorView(
        name=operator.name,
        namespace=operator.namespace,
        version=operator.version,
        source=operator.source,
        ready=operator.state == READY,
        detail=operator.detail or ("" if operator.state == READY else operator.state.value),
        notes=operator.notes,
    )
