"""The live pictures of a release, in a browser."""

from __future__ import annotations

import asyncio

from vrooli.errors import VrooliError
from vrooli.events import Listener, LogLine
from vrooli.graph.live import fetch, state
from vrooli.graph.live.watcher import GraphWatcher
from vrooli.graph.model import ArrowStatuses
from vrooli.graph.render import html, svg
from vrooli.graph.render.server import Server
from vrooli.kube import Kube
from vrooli.redaction import Redactor
from vrooli.release import Release, secret_redaction
from vrooli.release.records import storage
from vrooli.steps import first_error
from vrooli.workflows.cancellation import until_cancelled
from vrooli.workflows.clusters import access
from vrooli.workflows.graphs.graph import (
    FROM_RELEASE,
    GraphOptions,
    Source,
    drawn,
    of_release,
    title_of,
)
from vrooli.workflows.results.base import Result

# A release may be changed while its page is open: what it consists of is read again, seconds.
AGAIN_S = 30.0


async def serve(options: GraphOptions, port: int, listener: Listener) -> Result:
    """Show the live pictures in a browser, until cancelled: that is its normal end.

    Raises:
        UsageError: The port is taken, or the cluster's name is wrong.
        PrerequisiteError: The cluster doesn't run, or has no such release.
    """
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        redactor = await secret_redaction.redactor(reached.kube, release.namespace)
        source = await of_release(options, reached.kube, release)
        show = _Show(options, reached.kube, release, source, redactor)
        await asyncio.to_thread(svg.precompute, show.diagrams)
        async with show.server.running(port) as url:
            listener(LogLine("graph", url))
            try:
                await until_cancelled(show.run())
            except* VrooliError as errors:
                raise first_error(errors) from errors
    return Result()


class _Show:
    """A release's page, and what keeps it true."""

    def __init__(
        self,
        options: GraphOptions,
        kube: Kube,
        release: Release,
        source: Source,
        redactor: Redactor,
    ) -> None:
        self._options, self._kube, self._release = options, kube, release
        self._source, self._redactor = source, redactor
        self.diagrams = drawn(options, source)
        self._judged: ArrowStatuses = {}
        self._watch = self._watching()
        self.server = Server(self._page, self._on_view)

    async def run(self) -> None:
        """Watch, judge and tell, until cancelled."""
        while True:
            # Beside the event loop: pages and watches go on.
            await asyncio.to_thread(svg.precompute, self.diagrams)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(work) for work in (self._watch.run(), self._publish())]
                await self._await_new_release()
                for task in tasks:
                    task.cancel()
            self.diagrams = drawn(self._options, self._source)
            self._watch = self._watching()
            self.server.reload()

    def _on_view(self) -> None:
        """Somebody has come to look: whoever watches now is told."""
        self._watch.refresh()

    def _watching(self) -> GraphWatcher:
        namespace = self._options.environment.namespace
        places = fetch.required_resources(self._source.manifests, self.diagrams, namespace)
        return GraphWatcher(self._kube, self.diagrams, places, lambda: self.server.has_viewers)

    async def _publish(self) -> None:
        while True:
            await self._watch.wait_for_change()
            self._judged = state.evaluate(self.diagrams, self._watch.snapshot, self._redactor)
            since = self._watch.unreachable_since
            outage = (
                f"The cluster has not responded since {since.astimezone():%H:%M:%S}. "
                "The graph shows the state before. Retrying."
                if since
                else ""
            )
            self.server.publish(html.change_message(self._judged, outage))

    async def _await_new_release(self) -> None:
        """Return when the release consists of something else."""
        while True:
            await asyncio.sleep(AGAIN_S)
            # Secrets may have come since, or have other values.
            self._redactor = await secret_redaction.redactor(self._kube, self._release.namespace)
            try:
                record = await storage.fetch_record(self._kube, self._release)
            except VrooliError:
                continue  # away for a moment, which the watch tells of
            manifests = record.manifests if record else ()
            if (
                manifests
                and manifests != self._source.manifests
                and self._source.origin == FROM_RELEASE
            ):
                self._source = Source(manifests, FROM_RELEASE, self._source.problems)
                return

    def _page(self) -> str:
        title = title_of(self._options)
        notices = [self._redactor.text(item) for item in self._source.problems]
        return html.render(self.diagrams, self._judged, title=title, problems=notices, is_live=True)
