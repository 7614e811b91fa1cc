"""Opens a page of a release: at its URL, or through a port-forward where it has none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from vrooli.environments import Environment
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Event, Listener, LogLine
from vrooli.kube import Kube
from vrooli.kube.objects import dig, items, number, text
from vrooli.release.model import Release
from vrooli.release.records import storage
from vrooli.release.records.storage import ReleaseRecord
from vrooli.secrets import catalog
from vrooli.secrets.names import Names
from vrooli.workflows import advice, urls
from vrooli.workflows.cancellation import until_cancelled
from vrooli.workflows.clusters import access
from vrooli.workflows.graphs import server
from vrooli.workflows.graphs.graph import GraphOptions
from vrooli.workflows.results.base import Result
from vrooli.workflows.results.sessions import OpenResult
from vrooli.workflows.sessions import programs

ADMINER, GRAPH = "adminer", "graph"
PAGES = ("ui", "server", ADMINER, GRAPH)
# Opens a URL in the browser of this machine; returns whether there is one.
Browse = Callable[[str], bool]
_NOTE = (
    "To log in, select PostgreSQL and the server {server}. The database, the user and the password "
    "are in the keys DB_NAME, DB_USER and DB_PASSWORD of Secret {secret} in namespace {namespace}."
)


@dataclass(frozen=True)
class OpenOptions:
    """The options of open.

    Attributes:
        environment: The environment of the release.
        page: One of PAGES.
        cluster: As ``--cluster`` takes it; None picks one.
    """

    environment: Environment
    page: str
    cluster: str | None = None


async def open_page(options: OpenOptions, browse: Browse, listener: Listener) -> Result:
    """Open a page; a port-forward, and the graph, are served until the command is cancelled.

    Raises:
        UsageError: There is no such page, or it has no running pod.
        PrerequisiteError: The cluster is not running, or has no such release.
    """
    if options.page not in PAGES:
        raise UsageError(f"Unknown page {options.page!r}.", f"Use one of: {', '.join(PAGES)}.")
    if options.page == GRAPH:
        return await _serve_graph(options, browse, listener)
    environment = options.environment
    async with access.connect(options.cluster) as reached:
        release = Release.of(environment, reached.cluster.kubeconfig)
        record = await storage.fetch_record(reached.kube, release)
        if record is None:
            raise PrerequisiteError(
                f"There is no release {release}.", f"To install it: {advice.install(environment)}."
            )
        cluster_urls = reached.cluster.urls()
        page_urls = urls.release_urls(cluster_urls, record.manifests)
        notes = [_login_note(record)] if options.page == ADMINER else []
        if url := page_urls.get(options.page):
            notes += _hosts({options.page: url}, cluster_urls)
            return OpenResult(url=url, opened=browse(url), notes=tuple(notes))
        return await _forward(reached.kube, options, browse, listener, notes)


def _login_note(record: ReleaseRecord) -> str:
    """How to log in to the database, with the names of the release."""
    names = Names.of(record.values)
    is_external = dig(record.values, "pgoPostgresql", "enabled") is False
    return _NOTE.format(
        server=text(record.values, "externalPostgresql", "host")
        if is_external
        else f"{names.postgres}-primary",
        secret=names.secrets[catalog.POSTGRES],
        namespace=record.namespace,
    )


async def _serve_graph(options: OpenOptions, browse: Browse, listener: Listener) -> Result:
    def listen(event: Event) -> None:
        listener(event)
        if isinstance(event, LogLine) and event.source == GRAPH:
            browse(event.text)

    request = GraphOptions(options.environment, options.cluster, live=True)
    return await server.serve(request, 0, listen)


async def _forward(
    kube: Kube,
    options: OpenOptions,
    browse: Browse,
    listener: Listener,
    notes: Collection[str],
) -> OpenResult:
    """Forward a port of this machine to a pod until cancelled, which is the normal end."""
    namespace = options.environment.namespace
    pod = await programs.choose_pod(kube, options.environment, options.page)
    port = await _port(kube, namespace, pod, options.page)
    async with await kube.port_forward(namespace, pod, port) as local:
        url = f"http://127.0.0.1:{local}"
        is_open = browse(url)
        for line in (f"{url} is port {port} of pod {pod}, until Ctrl-C", *notes):
            listener(LogLine(options.page, line))
        await until_cancelled(asyncio.Event().wait())
    return OpenResult(url=url, opened=is_open, notes=tuple(notes))


async def _port(kube: Kube, namespace: str, pod: str, component: str) -> int:
    """The first port of a component's container.

    Raises:
        UsageError: The pod is gone, or its container names no port.
    """
    body = await kube.get("v1", "Pod", pod, namespace)
    for container in items(body, "spec", "containers"):
        ports = items(container, "ports")
        if text(container, "name") == component and ports:
            return number(ports[0], "containerPort")
    raise UsageError(
        f"Pod {pod} of {component} names no port.", "Use `kubectl port-forward` with a port."
    )


def _hosts(page: dict[str, str], cluster: dict[str, str]) -> list[str]:
    return [
        f"This machine must resolve {host} to the address of the cluster."
        for host in urls.unresolved_hosts(page, cluster)
    ]
