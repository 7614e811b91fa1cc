"""Run services of the dev release on this host: with reload and the release's data.

Their pods stay in the release and pass their requests on to this host, so the addresses of the
release, its Services and its network policies stay as they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from vrooli.chart import values as chart_values
from vrooli.development import host_process, host_services, node, overlay, tunnels
from vrooli.development.host_services import HostService
from vrooli.development.pod_environment import Declared, PodEnvironment
from vrooli.development.tunnels import Place, Tunnel
from vrooli.errors import UsageError, VrooliError
from vrooli.events import Listener, LogLine, Progress
from vrooli.grammar import counted
from vrooli.kube import objects
from vrooli.kube.common_labels import COMPONENT, INSTANCE
from vrooli.kube.status import pod_status
from vrooli.operators.redis import names as redis_names
from vrooli.release import process_identity
from vrooli.steps import Done
from vrooli.workflows.clusters.selection import Choice
from vrooli.workflows.development import develop
from vrooli.workflows.development.overlay import OverlayRun
from vrooli.workflows.options import DevelopOptions
from vrooli.workflows.results.releases import DevResult, HostServiceView
from vrooli.workflows.safeguards.consent import CONFIRMED, Consent
from vrooli.workflows.urls import release_urls

REDIS_PORT = 6379
# The wait before the way into a pod is opened again, seconds.
RETRY_S = 1.0
# How many variables that are not used are shown.
SHOWN = 5


async def dev(
    options: DevelopOptions,
    names: list[str],
    listener: Listener,
    consent: Consent = CONFIRMED,
    *,
    debugger: bool = False,
) -> DevResult:
    """Do what `develop` does, then run services on this host until cancelled.

    Args:
        options: What `develop` takes.
        names: The services.
        listener: Receives the events of the run.
        consent: Confirms changes that can't be undone.
        debugger: Whether editors can attach to the services.

    Raises:
        UsageError: A name is wrong, or the environment is not dev.
        VrooliError: See `develop`.
    """
    began = time.monotonic()
    if options.environment.name != "dev":
        raise UsageError(
            f"Services of {options.environment.name} do not run on a developer's host.",
            "Use the environment dev.",
        )
    services = host_services.choose(names, debugger=debugger)
    choice = await develop.checked_choice(options)
    async with contextlib.AsyncExitStack() as exits:
        run = HostRun(options, choice, exits, listener, services)
        await run.run(consent)
        result = develop.result_of(run, run.ended, time.monotonic() - began)
    views = [
        HostServiceView(name=item.name, url=item.url, debugger=item.debugger) for item in services
    ]
    return DevResult(**dict(result), services=tuple(views))


class HostRun(OverlayRun):
    """The steps of a run whose services run on this host."""

    NAME = "dev"
    ENDED = "The built images run in the pods again. They lack edits since the last `develop`."

    def __init__(
        self,
        options: DevelopOptions,
        choice: Choice,
        exits: contextlib.AsyncExitStack,
        listener: Listener,
        services: list[HostService],
    ) -> None:
        super().__init__(options, choice, exits, listener)
        self._services = services
        self._is_started = False

    def edited_values(self) -> chart_values.Values:
        """Values of pods that pass their requests on to this host."""
        for service in self._services:
            if service.name in self.other_images:
                raise UsageError(
                    f"The values name an image for {service.name}, whose source is not here.",
                    "Remove it from the values.",
                )
        values = overlay.relay_values(item.edited for item in self._services)
        for service in self._services:
            if not service.edited.module:  # the image of the page has no Python
                values["services"][service.edited.key] |= self.local_image("server")
        return values

    async def follow_release(self, progress: Progress) -> Done:
        """Follow the release; its pods are ready only with the services on this host."""
        if not self._is_started and self._group is not None:
            self._is_started = True
            await self._start(self._group, progress)
        return await super().follow_release(progress)

    async def work(self, consent: Consent) -> None:
        """Wait until cancelled."""
        del consent
        for service in self._services:
            attached = f"; debugger: {service.debugger}" if service.debugger else ""
            self.print(f"{service.name} runs on this host: {service.url}{attached}")
        urls = release_urls(self.cluster.urls(), self.manifests)
        self.print(f"{urls.get('ui', self.release.name)} uses it.")
        self.print("Ctrl-C ends this, and runs the built images again.")
        await asyncio.get_running_loop().create_future()

    async def _start(self, group: asyncio.TaskGroup, progress: Progress) -> None:
        program = "node"
        if any(not service.edited.module for service in self._services):
            found = await node.ensure(progress)
            await node.ensure_packages(found, progress)
            program = str(found)
        declared = Declared.of(self.manifests)
        reader = PodEnvironment(self.kube, self.release.namespace, declared, progress)
        environments = {}
        for service in self._services:
            of_pod = await reader.read(self._container(service))
            environments[service.name] = service.environment(await self._connect(service, of_pod))
        for place, ignored in reader.ignored.items():
            self.print(
                f"{counted(len(ignored), 'variable')} of {place} that the chart does not name "
                f"{'is' if len(ignored) == 1 else 'are'} not used: {', '.join(ignored[:SHOWN])}. "
                "Name one that is needed in `pod.variables` of its service."
            )
        for service in self._services:
            environment = environments[service.name]
            group.create_task(host_process.run(service, environment, program, self._listener))
            group.create_task(self._relay(service))

    def _container(self, service: HostService) -> Mapping[str, Any]:
        """The container of a service in the release's manifests."""
        for manifest in self.manifests:
            labels = objects.labels(manifest.body)
            if manifest.kind == "Deployment" and labels.get(COMPONENT) == service.name:
                for container in objects.containers(
                    objects.mapping(manifest.body, "spec", "template")
                ):
                    if container["name"] == service.name:
                        return container
        raise UsageError(
            f"The values disable {service.name}, so it has no pods.", "Enable it in the values."
        )

    async def _connect(self, service: HostService, of_pod: Mapping[str, str]) -> dict[str, str]:
        """The environment with tunnels to what the service uses in the cluster."""
        if not service.edited.module:
            hosts = overlay.allowed_hosts(self.file_values())
            return {**of_pod, "API_URL": self._api_url(), **hosts}
        namespace, ports = self.release.namespace, dict[str, int]()
        service_names = {item.name for item in self.manifests if item.kind == "Service"}
        detector = urlsplit(of_pod.get("NSFW_DETECTOR_URL", ""))
        if not of_pod.get("DATABASE_URL") and self._has("PostgresCluster"):
            host, port = of_pod["DB_HOST"].partition(".")[0], int(of_pod["DB_PORT"])
            find = partial(tunnels.find_behind, self.kube, namespace, host, port)
            ports["postgres"] = await self._open(find)
        if not of_pod.get("REDIS_URL") and self._has(redis_names.KIND):
            ports["redis"] = await self._open(self._find_redis)
        if (detector.hostname or "").partition(".")[0] in service_names:
            host, port = str(detector.hostname).partition(".")[0], detector.port or 80
            find = partial(tunnels.find_behind, self.kube, namespace, host, port)
            ports["detector"] = await self._open(find)
        return host_services.connected(of_pod, ports)

    def _api_url(self) -> str:
        """Where the page on this host finds the API."""
        for service in self._services:
            if service.name == "server":
                return service.url
        return release_urls(self.cluster.urls(), self.manifests).get("ui", "")

    def _has(self, kind: str) -> bool:
        return any(item.kind == kind for item in self.manifests)

    async def _open(self, find: Any) -> int:
        tunnel = Tunnel(self.kube, find)
        return await self._exits.enter_async_context(tunnel.listening())

    async def _find_redis(self) -> Place | None:
        """The master; the operator labels it within a minute after a failover."""
        (body,) = [item for item in self.manifests if item.kind == redis_names.KIND]
        labels = f"{redis_names.FAILOVER_LABEL}={body.name},{redis_names.ROLE_LABEL}=master"
        return await tunnels.find_ready(self.kube, self.release.namespace, labels, REDIS_PORT)

    async def _relay(self, service: HostService) -> None:
        """Serve the clients of the service's pods, as long as these exist."""
        await host_process.wait_listening(service)
        tasks: dict[str, asyncio.Task[None]] = {}
        labels = f"{INSTANCE}={self.release.name},{COMPONENT}={service.name}"
        async with asyncio.TaskGroup() as group:
            async for event, pod in self.kube.watch("v1", "Pod", self.release.namespace, labels):
                name, annotations = objects.name(pod), objects.annotations_of(pod)
                if event == "DELETED":
                    if (task := tasks.pop(name, None)) is not None:
                        task.cancel()
                elif annotations.get(overlay.PROCESS) == process_identity.process():
                    container = pod_status(pod).container(service.name)
                    if name not in tasks and container is not None and container.is_running:
                        tasks[name] = group.create_task(self._serve(service, name))

    async def _serve(self, service: HostService, pod: str) -> None:
        place = Place(self.release.namespace, pod, overlay.RELAY_PORT)
        while True:
            try:
                await tunnels.serve_clients(self.kube, place, service.port)
            except VrooliError as error:
                text = f"connecting to pod {pod} again: {error.message}"
                self._listener(LogLine(service.name, text, service.name))
            await asyncio.sleep(RETRY_S)
