"""The label selectors of a release's components, with the names that its objects have."""

from __future__ import annotations

from collections.abc import Iterable

from vrooli.databases import ownership
from vrooli.environments import Environment
from vrooli.kube import ApiError, Kube
from vrooli.kube.objects import name
from vrooli.operators.pgo import names as pgo
from vrooli.secrets.names import POSTGRES_CLUSTER
from vrooli.workflows.components import CLUSTER, COMPONENTS


async def fetch(kube: Kube, environment: Environment, components: Iterable[str]) -> dict[str, str]:
    """The label selector of each component's pods, by the component's name.

    Raises:
        ApiError: The API server does not answer.
    """
    labels = {component: COMPONENTS[component].labels for component in components}
    needs_cluster = any(CLUSTER in selector for selector in labels.values())
    cluster = await _cluster(kube, environment) if needs_cluster else ""
    return {
        component: selector.format(release=environment.release, postgres=cluster)
        for component, selector in labels.items()
    }


async def _cluster(kube: Kube, environment: Environment) -> str:
    """The PostgresCluster of a release; empty, which no pod has as its label, if there is none.

    A user who may not list PostgresClusters gets the chart's default.
    """
    place = (environment.namespace, environment.release)
    try:
        owned = await ownership.list_owned(kube, *place, pgo.API_VERSION, pgo.KIND)
    except ApiError as error:
        if not error.is_forbidden:
            raise
        return POSTGRES_CLUSTER
    return name(owned[0]) if owned else ""
