"""Values that a shell completes: environments, clusters and components."""

from __future__ import annotations

import typer

from vrooli.environments import ENVIRONMENTS

# How long a shell waits for names from a cluster, seconds.
LIMIT_S = 3.0


def environments(incomplete: str) -> list[str]:
    """The environments."""
    return _matching(list(ENVIRONMENTS), incomplete)


def embedded_clusters(incomplete: str) -> list[str]:
    """The names of the embedded clusters on this machine."""
    from vrooli import project
    from vrooli.cluster.embedded.cluster import list_clusters

    return _matching([item.name for item in list_clusters(project.state_dir())], incomplete)


def clusters(incomplete: str) -> list[str]:
    """The values of --cluster: kinds, embedded clusters, and contexts of the kubeconfig."""
    kinds = ["embedded", "minikube", "kind"]
    named = [f"embedded:{name}" for name in embedded_clusters("")]
    return _matching([*kinds, *named, *(f"context:{name}" for name in _contexts())], incomplete)


def components(incomplete: str) -> list[str]:
    """The components of a release."""
    from vrooli.workflows.components import COMPONENTS

    return _matching(list(COMPONENTS), incomplete)


def pods(ctx: typer.Context, incomplete: str) -> list[str]:
    """The running pods of the component of a command; none if the cluster does not answer."""
    import asyncio

    from vrooli import environments as known
    from vrooli.errors import VrooliError
    from vrooli.workflows import sessions
    from vrooli.workflows.components import COMPONENTS

    given = ctx.params
    # Before an option without its value, arguments are not assigned yet.
    component = given.get("component") or next(iter(ctx.args), "")
    if component not in COMPONENTS:
        return []

    async def fetch() -> list[str]:
        options = sessions.SessionOptions(
            known.environment(given["environment"]), given.get("cluster")
        )
        async with asyncio.timeout(LIMIT_S):
            return await sessions.fetch_pods(options, component)

    try:
        return _matching(asyncio.run(fetch()), incomplete)
    except (VrooliError, OSError):  # a shell has no place for errors
        return []


def cluster_components(incomplete: str) -> list[str]:
    """The components of an embedded cluster."""
    from vrooli.cluster.embedded.components.catalog import STOP_ORDER

    return _matching(sorted(STOP_ORDER), incomplete)


def scalable(incomplete: str) -> list[str]:
    """The components that can be scaled."""
    from vrooli.workflows.scale import COMPONENTS

    return _matching(list(COMPONENTS), incomplete)


def host_services(incomplete: str) -> list[str]:
    """The services that can run on this host."""
    from vrooli.development.host_services import NAMES

    return _matching(list(NAMES), incomplete)


def _contexts() -> list[str]:
    """The contexts of the kubeconfig; none if it cannot be read."""
    import yaml

    from vrooli.kube.objects import items, text
    from vrooli.workflows.clusters.embedded import users_kubeconfig

    try:
        content = yaml.safe_load(users_kubeconfig().read_text())
    except (OSError, ValueError, yaml.YAMLError):
        return []
    return [text(item, "name") for item in items(content, "contexts")]


def _matching(values: list[str], incomplete: str) -> list[str]:
    return [value for value in values if value.startswith(incomplete)]
