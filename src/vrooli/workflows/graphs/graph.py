"""The pictures of a release: from its manifests and, live, from its cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from vrooli.chart import engine, values
from vrooli.chart.manifest import Manifest
from vrooli.environments import Environment
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.events import Listener, Progress
from vrooli.findings import Verdict
from vrooli.graph.diagrams import catalog
from vrooli.graph.live import fetch
from vrooli.graph.live import state as live_state
from vrooli.graph.model import Arrow, ArrowStatus, ArrowStatuses, Diagram, State
from vrooli.graph.render import html, mermaid, svg
from vrooli.kube import Kube, RequestBudget
from vrooli.release import Release, secret_redaction
from vrooli.release.records import storage
from vrooli.workflows.clusters import access
from vrooli.workflows.results.base import MissingView
from vrooli.workflows.results.graphs import (
    ArrowView,
    DiagramView,
    EvidenceView,
    GraphResult,
    NodeView,
)

FROM_VALUES, FROM_RELEASE = "values", "release"
# Timeout for reading the cluster, seconds.
READ_S = 60.0
ADVICE = "See `problems` in the output of --output json for missing permissions and timeouts."


class Format(StrEnum):
    """Formats of a diagram."""

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
            values.read(file)


@dataclass(frozen=True)
class Source:
    """What is drawn.

    Attributes:
        manifests: The objects.
        origin: Where they came from: the values, or the release.
        problems: What couldn't be seen.
        unknown: Why the release itself couldn't be read.
    """

    manifests: tuple[Manifest, ...]
    origin: str
    problems: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


async def graph(options: GraphOptions, listener: Listener) -> GraphResult:
    """Draw a release, as its values or its cluster have it.

    Raises:
        UsageError: The chart refuses the values, or the cluster's name is wrong.
        PrerequisiteError: The cluster doesn't run, or has no such release.
    """
    if not options.live:
        source = Source(_rendered(options), FROM_VALUES)
        return _result(options, source, drawn(options, source), {})
    async with access.connect(options.cluster) as reached:
        redactor = await secret_redaction.redactor(reached.kube, options.environment.namespace)
        release = Release.of(options.environment, reached.cluster.kubeconfig)
        source = await of_release(options, reached.kube, release)
        diagrams = drawn(options, source)
        places = fetch.required_resources(source.manifests, diagrams, options.environment.namespace)
        budget = RequestBudget(READ_S)
        async with budget.reporting(Progress("graph", listener)):
            snapshot = await fetch.fetch_snapshot(reached.kube, diagrams, places, budget)
    refused = tuple(
        f"{item.resource} could not be read: {item.reason}" for item in snapshot.unavailable
    )
    mute = tuple(_mute(snapshot.socket_errors))
    problems = tuple(map(redactor.text, (*source.problems, *refused, *mute)))
    unknown = tuple(map(redactor.text, source.unknown))
    source = replace(source, problems=problems, unknown=unknown)
    return _result(options, source, diagrams, live_state.evaluate(diagrams, snapshot, redactor))


def _rendered(options: GraphOptions) -> tuple[Manifest, ...]:
    where = options.environment
    chosen = values.load(where, options.values)
    return engine.render(chosen, release=where.release, namespace=where.namespace)


async def of_release(options: GraphOptions, kube: Kube, release: Release) -> Source:
    """What Helm noted of a release; where that can't be read, what its values make."""
    try:
        record = await storage.fetch_record(kube, release)
    except VrooliError as error:
        reason = f"what is drawn comes from the values: {error.message}"
        return Source(_rendered(options), FROM_VALUES, (reason,), (error.message,))
    if record is None:
        raise PrerequisiteError(
            f"There is no release {release.name} in namespace {release.namespace}.",
            "Deploy it first: `vrooli develop`, or `vrooli deploy` with an artifact. "
            "Without --live the graph is drawn from its values.",
        )
    return Source(record.manifests, FROM_RELEASE)


def _mute(errors: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Which pods couldn't be asked for their connections, one line for each reason."""
    for why in dict.fromkeys(errors.values()):
        names = [name for (_, name), reason in errors.items() if reason == why]
        yield f"{', '.join(names)} could not be asked for connections: {why}"


def drawn(options: GraphOptions, source: Source) -> tuple[Diagram, ...]:
    """The pictures that are asked for."""
    return catalog.build_diagrams(source.manifests, options.diagrams or tuple(catalog.BUILDERS))


def title_of(options: GraphOptions) -> str:
    """What a page of them is called."""
    where = options.environment
    return f"{where.release} in namespace {where.namespace}"


def _result(
    options: GraphOptions, source: Source, diagrams: Sequence[Diagram], judged: ArrowStatuses
) -> GraphResult:
    broken = any(judgement.state is State.BROKEN for judgement in judged.values())
    missing = _missing(source, judged) if options.live else ()
    verdict = Verdict.of(has_problems=broken, is_missing=bool(missing))
    return GraphResult(
        ok=verdict is Verdict.HEALTHY,
        verdict=verdict,
        missing=missing,
        environment=options.environment.name,
        release=options.environment.release,
        namespace=options.environment.namespace,
        live=options.live,
        source=source.origin,
        diagrams=tuple(_view(diagram, judged) for diagram in diagrams),
        problems=source.problems,
        rendered=_written(options, source, diagrams, judged),
    )


def _missing(source: Source, judged: ArrowStatuses) -> tuple[MissingView, ...]:
    """The arrows that couldn't be looked at, and the release where only its values are drawn."""
    # An arrow of two diagrams is one arrow.
    unseen = {
        (start, end): judgement.message
        for (_, start, end), judgement in judged.items()
        if judgement.state is State.UNKNOWN
    }
    arrows = (
        MissingView(resource=f"arrow {start} → {end}", reason=why, advice=ADVICE)
        for (start, end), why in unseen.items()
    )
    release = (MissingView(resource="the release", reason=why) for why in source.unknown)
    return (*release, *arrows)


def _written(
    options: GraphOptions, source: Source, diagrams: Sequence[Diagram], judged: ArrowStatuses
) -> str:
    match options.form:
        case Format.SVG:
            return svg.render(diagrams, judged)
        case Format.HTML:
            return html.render(diagrams, judged, title=title_of(options), problems=source.problems)
        case Format.MERMAID if len(diagrams) == 1:
            return mermaid.render(diagrams[0], judged)
        case Format.MERMAID:
            return mermaid.markdown(diagrams, judged)
    return ""


def _view(diagram: Diagram, judged: ArrowStatuses) -> DiagramView:
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


def _arrow(arrow: Arrow, judged: ArrowStatus | None) -> ArrowView:
    return ArrowView(
        source=arrow.source,
        target=arrow.target,
        label=arrow.label,
        dashed=arrow.dashed,
        evidence=tuple(
            EvidenceView(object=item.object, field=item.field, value=item.value)
            for item in arrow.reasons
        ),
        state=judged.state.value if judged else None,
        message=judged.message if judged else "",
    )
