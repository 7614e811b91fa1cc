"""Measures what something costs a release under load: requests, writes, seconds."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from vrooli.databases.postgres import application
from vrooli.drills import http_load, target, writer
from vrooli.drills.healing import DiagnosisWatch, wait_until_healed
from vrooli.drills.http_load import Load
from vrooli.drills.model import Injection, Limits, Measured, Outage, Requests
from vrooli.drills.site import Site
from vrooli.drills.writer import Writer
from vrooli.drills.writer_objects import WriterPlan
from vrooli.errors import PrerequisiteError, VrooliError, WaitTimeoutError
from vrooli.kube.common_labels import COMPONENT
from vrooli.kube.objects import items, text
from vrooli.kube.objects import labels as labels_of

# How long a fault is measured after all is healthy again, seconds: connections find it late.
CALM_S = 8.0
# How long putting back may take, with the pause before it is tried again, and how long a release
# that did not heal gets afterwards, seconds. A container that ended may take a minute to start.
UNDO_S, UNDO_EVERY_S, AFTER_UNDO_S = 120.0, 2.0, 240.0
# How long the removal of the posts may take, seconds.
REMOVE_S = 60.0
# How long the query for all posts may take, seconds.
QUERY_S = 30.0
# The components whose image has Python and the clients of the databases, the better one first.
WRITERS = ("rotator", "server")
# The end of the name of the ConfigMap with the addresses of the databases.
CONNECTIONS = "-connections"


class UndoError(VrooliError):
    """What a fault has left could not be removed; the message has the command that does it."""


@dataclass(frozen=True)
class Bench:
    """A release with the load on it, and the writer to its databases; both None without load."""

    site: Site
    load: Load | None = None
    writer: Writer | None = None

    async def measure(self, injection: Injection, limits: Limits) -> Measured:
        """Inject a fault, wait until all is healthy again, and put back what it left.

        Raises:
            VrooliError: It could not be injected or put back, or the release is not healthy after
                it.
        """
        marked = self._mark()
        try:
            measured = await self._inject(injection, limits)
        finally:
            await asyncio.shield(_undo(injection))
        if measured.healed_s is None:
            await wait_until_healed(self.site, injection, AFTER_UNDO_S)
        if self.load is None or self.writer is None:
            return measured
        await asyncio.sleep(CALM_S)
        return replace(
            measured,
            requests=self._requests(marked),
            outages=await self._outages(marked.at),
            lost=await self._lost(),
        )

    async def _inject(self, injection: Injection, limits: Limits) -> Measured:
        watch, began = DiagnosisWatch(self.site, injection), time.monotonic()
        await injection.inject()
        diagnosing = asyncio.create_task(watch.run())
        try:
            await wait_until_healed(self.site, injection, limits.heal_s)
        except WaitTimeoutError as error:
            return Measured(None, error.message, watch.result)
        finally:
            diagnosing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await diagnosing
        return Measured(round(time.monotonic() - began, 1), diagnosed=watch.result)

    def _mark(self) -> _Mark:
        load = self.load
        return _Mark(time.time(), load.sent if load else 0, len(load.failures) if load else 0)

    def _requests(self, marked: _Mark) -> Requests | None:
        if self.load is None:
            return None
        failures = self.load.failures[marked.failures :]
        reads = sum(failure.is_read for failure in failures)
        return Requests(
            self.load.sent - marked.sent,
            reads,
            len(failures) - reads,
            dict(Counter(failure.kind for failure in failures)),
        )

    async def _outages(self, began: float) -> dict[str, Outage]:
        if self.writer is None:
            return {}
        written, ended = await self.writer.written(), time.time()
        stores = ("postgres", "redis")
        return {
            store: writer.between(written, store, began, ended)
            for store in stores
            if any(item.store == store for item in written)
        }

    async def _lost(self) -> dict[str, int]:
        """Acknowledged writes that are missing: those of the writer, and the posts."""
        lost = {}
        if self.writer is not None:
            lost = {store: len(numbers) for store, numbers in (await self.writer.lost()).items()}
        if self.load is not None and self.site.postgres is not None and self.load.writes:
            # Those that are acknowledged while the query runs are not in its rows.
            before = self.load.acknowledged()
            rows = await application.execute(self.site.postgres, self.load.query, QUERY_S)
            found = before.judge((str(text), str(post_id)) for text, post_id in rows)
            lost["posts"] = len(found.lost)
        return lost


@dataclass(frozen=True)
class _Mark:
    """The begin of a fault: the time, and what the load had sent."""

    at: float
    sent: int
    failures: int


async def _undo(injection: Injection) -> None:
    """Put back what a fault has left; it is tried again while the container does not run.

    Raises:
        UndoError: It could not be put back in time.
    """
    reason = "there was no answer"
    try:
        async with asyncio.timeout(UNDO_S):
            while True:
                try:
                    await injection.undo()
                except VrooliError as error:
                    reason = error.message
                else:
                    return
                await asyncio.sleep(UNDO_EVERY_S)
    except TimeoutError:
        raise UndoError(
            f"What the fault has left could not be removed within {UNDO_S:g} s: {reason} "
            f"To remove it: `{injection.undo_command}`."
        ) from None


@asynccontextmanager
async def loaded(site: Site, urls: Mapping[str, str], limit_s: float) -> AsyncIterator[Bench]:
    """A release under load for the block; all that the load has written is removed at the end.

    Args:
        site: The release, which is healthy.
        urls: The addresses of the cluster's Ingress on 127.0.0.1, by scheme.
        limit_s: The load ends after this time, whatever happens, seconds.

    Raises:
        PrerequisiteError: The release has no image for the writer, or does not answer.
    """
    async with AsyncExitStack() as stack:
        plan = plan_writer(site, limit_s)
        written = writer.writing(site.kube, site.postgres, site.redis, plan)
        writes = await stack.enter_async_context(written)
        where = await stack.enter_async_context(target.reached(site, urls))
        sending = http_load.load(where, limit_s=limit_s)
        sent = await stack.enter_async_context(_removed(site, sending))
        yield Bench(site, sent, writes)


@asynccontextmanager
async def _removed(
    site: Site, sending: contextlib.AbstractAsyncContextManager[Load]
) -> AsyncIterator[Load]:
    """A load whose posts are removed when it has ended."""
    sent: Load | None = None
    try:
        async with sending as sent:
            yield sent
    finally:
        if sent is not None and sent.writes:
            await asyncio.shield(_remove_posts(site, sent))


async def _remove_posts(site: Site, sent: Load) -> None:
    if site.postgres is None:
        return
    # The name of a load has letters, digits and a hyphen only.
    statement = f"DELETE FROM vrooli.posts WHERE text LIKE '{sent.name} %';"  # noqa: S608
    with contextlib.suppress(VrooliError):  # they are posts like any other
        await application.execute(site.postgres, statement, REMOVE_S)


def plan_writer(site: Site, limit_s: float) -> WriterPlan:
    """The writer for a release, with the image of one of its own pods.

    Raises:
        PrerequisiteError: None of its images has the clients of the databases.
    """
    specs = {
        labels_of(item.body).get(COMPONENT, ""): item.body["spec"]["template"]["spec"]
        for item in site.manifests
        if item.kind == "Deployment"
    }
    connections = [
        item.name
        for item in site.manifests
        if item.kind == "ConfigMap" and item.name.endswith(CONNECTIONS)
    ]
    for component in WRITERS:
        if connections and (spec := specs.get(component)):
            return WriterPlan(
                namespace=site.release.namespace,
                connections=connections[0],
                image=text(items(spec, "containers")[0], "image"),
                pull_secrets=tuple(text(one, "name") for one in items(spec, "imagePullSecrets")),
                limit_s=limit_s,
                names=site.names,
            )
    raise PrerequisiteError(
        f"Release {site.release} has no image with the clients of its databases, or no ConfigMap "
        "with their addresses.",
        "Run the drill without --load.",
    )
