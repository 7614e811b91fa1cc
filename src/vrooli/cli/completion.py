"""Values that a shell completes: environments, clusters and components."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from vrooli.environments import ENVIRONMENTS

# How long a shell waits for names from a cluster, seconds.
LIMIT_S = 3.0
# Names that workflows define. The workflows take a second to import, and a shell waits for it.
COMPONENTS = (
    "ui",
    "server",
    "jobs",
    "nsfw-detector",
    "adminer",
    "rotator",
    "postgres",
    "pgbouncer",
    "redis",
    "sentinel",
)
SCALABLE = tuple(name for name in COMPONENTS if name != "rotator")
HOST_SERVICES = ("server", "jobs", "ui")
CLUSTER_COMPONENTS = (
    "containerd",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-router",
    "kube-scheduler",
    "kubelet",
)


def environments(incomplete: str) -> list[str]:
    """The environments."""
    return _matching(tuple(ENVIRONMENTS), incomplete)


def embedded_clusters(incomplete: str) -> list[str]:
    """The names of the embedded clusters on this machine."""
    from vrooli import project
    from vrooli.cluster.embedded import layout

    return _matching(layout.stored_clusters(project.state_dir()), incomplete)


def clusters(incomplete: str) -> list[str]:
    """The values of --cluster: kinds, embedded clusters, and contexts of the kubeconfig."""
    kinds = ["embedded", "minikube", "kind"]
    named = [f"embedded:{name}" for name in embedded_clusters("")]
    return _matching([*kinds, *named, *(f"context:{name}" for name in _contexts())], incomplete)


def components(incomplete: str) -> list[str]:
    """The components of a release."""
    return _matching(COMPONENTS, incomplete)


def pods(ctx: typer.Context, incomplete: str) -> list[str]:
    """The running pods of the component of a command; none if the cluster does not answer."""
    import asyncio

    from vrooli import environments as known
    from vrooli.errors import VrooliError

    given = ctx.params
    # Before an option without its value, arguments are not assigned yet.
    component = given.get("component") or next(iter(ctx.args), "")
    if component not in COMPONENTS:
        return []

    async def fetch() -> list[str]:
        from vrooli.workflows.sessions import programs

        options = programs.SessionOptions(
            known.environment(given["environment"]), given.get("cluster")
        )
        async with asyncio.timeout(LIMIT_S):
            return await programs.fetch_pods(options, component)

    try:
        return _matching(asyncio.run(fetch()), incomplete)
    except (VrooliError, OSError):  # a shell has no place for errors
        return []


def cluster_components(incomplete: str) -> list[str]:
    """The components of an embedded cluster."""
    return _matching(CLUSTER_COMPONENTS, incomplete)


def scalable(incomplete: str) -> list[str]:
    """The components that can be scaled."""
    return _matching(SCALABLE, incomplete)


def host_services(incomplete: str) -> list[str]:
    """The services that can run on this host."""
    return _matching(HOST_SERVICES, incomplete)


def _contexts() -> list[str]:
    """The contexts of the kubeconfig; none if it cannot be read."""
    import yaml

    from vrooli import project

    try:
        content = yaml.safe_load(project.users_kubeconfig().read_text())
    except (OSError, ValueError, yaml.YAMLError):
        return []
    contexts = content.get("contexts") if isinstance(content, dict) else None
    named = [item for item in contexts if isinstance(item, dict)] if contexts else []
    return [item["name"] for item in named if isinstance(item.get("name"), str)]


def _matching(values: Sequence[str], incomplete: str) -> list[str]:
    return [value for value in values if value.startswith(incomplete)]
