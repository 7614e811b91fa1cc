"""``vrooli graph``: draw the components of a release and their connections."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments, inert
from vrooli.cli import examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import tables
from vrooli.errors import UsageError
from vrooli.events import Listener

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from vrooli.workflows.graphs.graph import GraphOptions
    from vrooli.workflows.results.base import Result
    from vrooli.workflows.results.graphs import GraphResult


class PictureFormat(StrEnum):
    """Formats of a diagram."""

    MERMAID = "mermaid"
    SVG = "svg"
    HTML = "html"
    JSON = "json"


class DiagramName(StrEnum):
    """The four diagrams."""

    ARCHITECTURE = "architecture"
    CONNECTIVITY = "connectivity"
    SECRETS = "secrets"
    DELIVERY = "delivery"


EXAMPLES = examples.epilog(
    ("Draw the dev environment as Mermaid", "vrooli graph"),
    (
        "Draw one diagram as SVG with the live state of each connection",
        "vrooli graph --live --diagram connectivity --format svg",
    ),
    ("Open the live graph in a browser", "vrooli graph --serve"),
)


Live = Annotated[
    bool, typer.Option("--live", help="Read the state of each connection from the cluster.")
]
Form = Annotated[PictureFormat, typer.Option("--format", help="Format of the diagram.")]
Diagrams = Annotated[
    list[DiagramName] | None,
    typer.Option(
        "--diagram",
        metavar="NAME",
        help="Diagram to draw: architecture, connectivity, secrets or delivery. Repeatable. "
        "Default: all.",
        show_default=False,
    ),
]
Serve = Annotated[
    bool, typer.Option("--serve", help="Serve the live graph as a web page until Ctrl-C.")
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        metavar="NUMBER",
        min=0,
        max=options.HIGHEST_PORT,
        help="Port on 127.0.0.1 for --serve. Default: a free port.",
        show_default=False,
    ),
]


def command(
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    live: Live = False,
    form: Form = PictureFormat.MERMAID,
    diagram: Diagrams = None,
    values: options.ValuesFiles = None,
    serve: Serve = False,
    port: Port = None,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Draw the components of a release, their connections and the flow of secrets.

    Each connection is derived from a field of the manifests. With --live, each connection also
    shows its state in the cluster and the reason. Then the command exits with 1 if a connection is
    broken, and with 3 if the state of a connection could not be read.
    """

    def build_options() -> GraphOptions:
        return _build_options(environment, cluster, live or serve, form, diagram, values)

    def draw(listener: Listener) -> Awaitable[GraphResult]:
        from vrooli.workflows.graphs import graph

        if port is not None:
            raise UsageError("--port requires --serve.", "Add --serve, or remove --port.")
        return graph.graph(build_options(), listener)

    def show(listener: Listener) -> Awaitable[Result]:
        from vrooli.workflows.graphs import server

        return server.serve(build_options(), port or 0, listener)

    if serve:
        execute(show, tables.show_empty, output, debug)
    else:
        execute(draw, _show, output, debug)


def _build_options(
    environment: str,
    cluster: str | None,
    live: bool,
    form: PictureFormat,
    diagrams: list[DiagramName] | None,
    values: list[Path] | None,
) -> GraphOptions:
    from vrooli.workflows.graphs import graph

    if values and live:
        raise UsageError(
            "--values cannot be used with --live or --serve.",
            "Remove --values, or remove --live and --serve.",
        )
    return graph.GraphOptions(
        environments.environment(environment),
        cluster,
        live=live,
        form=graph.Format(form.value),
        diagrams=tuple(dict.fromkeys(item.value for item in diagrams or [])),
        values=tuple(values or ()),
    )


def _show(result: GraphResult, console: Console) -> None:
    """Print the diagrams alone to stdout, so that it can be redirected; the rest to stderr."""
    from rich.console import Console

    if result.missing:
        tables.show_missing(result.missing, Console(stderr=True, highlight=False, markup=False))
    text = result.rendered or inert.json(
        result.model_dump_json(indent=2, exclude={"rendered"}) + "\n"
    )
    console.out(text, highlight=False, end="")
