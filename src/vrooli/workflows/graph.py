"""The pictures of a release: from its manifests and, live, from its cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vrooli.chart import engine, values
from vrooli.chart.manifest import Manifest
from vrooli.environments import Environment
from vrooli.errors import EnvironmentLackError, VrooliError
from vrooli.events import Listener, LogLine
from vrooli.kube import Kube
from vrooli.redaction import Redactor
from vrooli.release import Release, hiding, history
from vrooli.steps import first_error
from vrooli.topology import judging, looking, mermaid, page, pictures, svg
from vrooli.topology.model import Arrow, Diagram, Judgement, Judgements, State
from vrooli.topology.serving import Server
from vrooli.topology.watching import Watch
from vrooli.workflows import access
from vrooli.workflows.options import check_values_file
from vrooli.workflows.results import (
    ArrowView,
    DiagramView,
    GraphResult,
    NodeView,
    ReasonView,
    Result,
)

FROM_VALUES, FROM_RELEASE = "values", "release"
# A release may be changed while its page is open: what it consists of is read again, seconds.
AGAIN_S = 30.0


class Format(StrEnum):
    """What a picture is written as."""

    MERMAID = "mermaid"
    SVG = "svg"
    HTML = "html"
    JSON = "json"


@dataclass(frozen=True)
class GraphOptions:
    """What graph is asked for.

    Attributes:
        environment: Whose release, and whose values.
        cluster: The cluster as ``--cluster`` takes it; None picks one. Only asked when live.
        live: Whether the cluster is looked at.
        form: What the pictures are written as.
        diagrams: Which of them; empty for all four.
        values: More values files over the environment's; not when live.
    """

    environment: Environment
    cluster: str | None = None
    live: bool = False
    form: Format = Format.MERMAID
    diagrams: tuple[str, ...] = ()
    values: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        for file in self.values:
            check_values_file(file)


@dataclass(frozen=True)
class _Source:
    """What is drawn: objects, where they came from, and what couldn't be seen."""

    manifests: tuple[Manifest, ...]
    origin: str
    problems: tuple[str, ...] = ()


async def graph(options: GraphOptions, listener: Listener) -> GraphResult:
    """Draw a release, as its values or its cluster have it.

    Raises:
        UsageError: The chart refuses the values, or the cluster's name is wrong.
        EnvironmentLackError: The cluster doesn't run, or has no such release.
    """
    del listener  # looking is quick, there is nothing to tell meanwhile
    if not options.live:
        source = _Source(_rendered(options), FROM_VALUES)
        return _result(options, source, _diagrams(options, source), {})
    async with access.connect(options.cluster) as reached:
        redactor = await hiding.redactor(reached.kube, options.environment.namespace)
        source = await _of_release(
            options, Release.of(options.environment, reached.cluster.kubeconfig)
        )
        diagrams = _diagrams(options, source)
        places = looking.wanted(source.manifests, diagrams, options.environment.namespace)
        seen = await looking.look(reached.kube, diagrams, places)
    refused = tuple(
        f"{kind} in {namespace or 'the cluster'} could not be seen: {why}"
        for (kind, namespace), why in seen.refused.items()
    )
    mute = tuple(_mute(seen.mute))
    problems = tuple(map(redactor.text, (*source.problems, *refused, *mute)))
    source = _Source(source.manifests, source.origin, problems)
    return _result(options, source, diagrams, judging.judge(diagrams, seen, redactor))


async def serve(options: GraphOptions, port: int, listener: Listener) -> Result:
    """Show the live pictures in a browser, until cancelled.

    Raises:
        UsageError: The port is taken, or the cluster's name is wrong.
        EnvironmentLackError: The cluster doesn't run, or has no such release.
    """
    async with access.connect(options.cluster) as reached:
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        redactor = await hiding.redactor(reached.kube, release.namespace)
        source = await _of_release(options, release)
        show = _Show(options, reached.kube, release, source, redactor)
        await asyncio.to_thread(svg.prepare, show.diagrams)
        async with show.server.running(port) as url:
            listener(LogLine("graph", url))
            try:
                await show.run()
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
        source: _Source,
        redactor: Redactor,
    ) -> None:
        self._options, self._kube, self._release = options, kube, release
        self._source, self._redactor = source, redactor
        self.diagrams = _diagrams(options, source)
        self._judged: Judgements = {}
        self._watch = self._watching()
        self.server = Server(self._page, self._look_again)

    async def run(self) -> None:
        """Watch, judge and tell, until cancelled."""
        while True:
            # Beside the event loop: pages and watches go on.
            await asyncio.to_thread(svg.prepare, self.diagrams)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(work) for work in (self._watch.run(), self._tell())]
                await self._another_release()
                for task in tasks:
                    task.cancel()
            self.diagrams = _diagrams(self._options, self._source)
            self._watch = self._watching()
            self.server.reload()

    def _look_again(self) -> None:
        """Somebody has come to look: whoever watches now is told."""
        self._watch.look_again()

    def _watching(self) -> Watch:
        namespace = self._options.environment.namespace
        places = looking.wanted(self._source.manifests, self.diagrams, namespace)
        return Watch(self._kube, self.diagrams, places, lambda: self.server.is_watched)

    async def _tell(self) -> None:
        while True:
            await self._watch.change()
            self._judged = judging.judge(self.diagrams, self._watch.seen, self._redactor)
            since = self._watch.away_since
            away = (
                f"The cluster hasn't answered since {since.astimezone():%H:%M:%S}; "
                "what you see is from before. Trying again."
                if since
                else ""
            )
            self.server.tell(page.message(self._judged, away))

    async def _another_release(self) -> None:
        """Return when the release consists of something else."""
        while True:
            await asyncio.sleep(AGAIN_S)
            # Secrets may have come since, or have other values.
            self._redactor = await hiding.redactor(self._kube, self._release.namespace)
            try:
                note = await history.newest(self._release)
            except VrooliError:
                continue  # away for a moment, which the watch tells of
            found = note.manifests if note else ()
            if found and found != self._source.manifests and self._source.origin == FROM_RELEASE:
                self._source = _Source(found, FROM_RELEASE, self._source.problems)
                return

    def _page(self) -> str:
        title = _title(self._options)
        notes = [self._redactor.text(item) for item in self._source.problems]
        return page.page(self.diagrams, self._judged, title=title, notes=notes, follows=True)


def _rendered(options: GraphOptions) -> tuple[Manifest, ...]:
    where = options.environment
    wanted = values.load(where, options.values)
    return engine.render(wanted, release=where.release, namespace=where.namespace)


async def _of_release(options: GraphOptions, release: Release) -> _Source:
    """What Helm noted of a release; where that can't be read, what its values make."""
    try:
        found = await history.newest(release)
    except VrooliError as error:
        said = f"what is drawn comes from the values: {error.message}"
        return _Source(_rendered(options), FROM_VALUES, (said,))
    if found is None:
        raise EnvironmentLackError(
            f"There is no release {release.name} in namespace {release.namespace}.",
            "Deploy it first: `vrooli develop`, or `vrooli deploy` with an artifact. "
            "Without --live the graph is drawn from its values.",
        )
    return _Source(found.manifests, FROM_RELEASE)


def _mute(found: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Which pods couldn't be asked for their connections, one line for each reason."""
    for why in dict.fromkeys(found.values()):
        names = [name for (_, name), said in found.items() if said == why]
        yield f"{', '.join(names)} could not be asked for connections: {why}"


def _diagrams(options: GraphOptions, source: _Source) -> tuple[Diagram, ...]:
    return pictures.diagrams(source.manifests, options.diagrams or tuple(pictures.DRAWN))


def _title(options: GraphOptions) -> str:
    where = options.environment
    return f"{where.release} in namespace {where.namespace}"


def _result(
    options: GraphOptions, source: _Source, diagrams: Sequence[Diagram], judged: Judgements
) -> GraphResult:
    broken = any(found.state is State.BROKEN for found in judged.values())
    return GraphResult(
        ok=not broken,
        environment=options.environment.name,
        release=options.environment.release,
        namespace=options.environment.namespace,
        live=options.live,
        source=source.origin,
        diagrams=tuple(_view(diagram, judged) for diagram in diagrams),
        problems=source.problems,
        text=_written(options, source, diagrams, judged),
    )


def _written(
    options: GraphOptions, source: _Source, diagrams: Sequence[Diagram], judged: Judgements
) -> str:
    match options.form:
        case Format.SVG:
            return svg.document(diagrams, judged)
        case Format.HTML:
            return page.page(diagrams, judged, title=_title(options), notes=source.problems)
        case Format.MERMAID if len(diagrams) == 1:
            return mermaid.text(diagrams[0], judged)
        case Format.MERMAID:
            return mermaid.page(diagrams, judged)
    return ""


def _view(diagram: Diagram, judged: Judgements) -> DiagramView:
    return DiagramView(
        name=diagram.name,
        title=diagram.title,
        nodes=tuple(
            NodeView(id=node.id, title=node.title, group=node.group) for node in diagram.nodes
        ),
        arrows=tuple(
            _arrow(arrow, judged.get((diagram.name, *arrow.key))) for arrow in diagram.arrows
        ),
    )


def _arrow(arrow: Arrow, judged: Judgement | None) -> ArrowView:
    return ArrowView(
        source=arrow.source,
        target=arrow.target,
        label=arrow.label,
        dashed=arrow.dashed,
        reasons=tuple(
            ReasonView(object=item.object, field=item.field, value=item.value)
            for item in arrow.reasons
        ),
        state=judged.state.value if judged else None,
        why=judged.why if judged else "",
    )
