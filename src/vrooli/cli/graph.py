"""``vrooli graph``: who speaks with whom, as a picture."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import options, tables
from vrooli.cli.run import execute
from vrooli.errors import UsageError
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.graph import GraphOptions
    from vrooli.workflows.results import GraphResult, Result


class PictureFormat(StrEnum):
    """What a picture is written as."""

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


def command(
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    live: Annotated[
        bool,
        typer.Option("--live", help="Look at the cluster: what carries traffic, what is broken."),
    ] = False,
    form: Annotated[
        PictureFormat,
        typer.Option("--format", help="What is written to standard output."),
    ] = PictureFormat.MERMAID,
    diagram: Annotated[
        list[DiagramName] | None,
        typer.Option("--diagram", help="Only this one; may be given again.", show_default=False),
    ] = None,
    values: options.ValuesFiles = None,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="Show the live page in a browser, until Ctrl-C."),
    ] = False,
    port: Annotated[
        int,
        typer.Option(
            "--port",
            min=0,
            max=options.HIGHEST_PORT,
            help="With --serve: the port on 127.0.0.1; 0 takes any free one.",
        ),
    ] = 0,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Draw the release: what it consists of, who speaks with whom, where secrets come from.

    Each arrow comes from a field of the manifests, which it names. With --live it says how it is
    in the cluster and why; then it ends with 1 when an arrow is broken, and with 3 when one could
    not be looked at.
    """

    def asked() -> GraphOptions:
        from vrooli.workflows import graph

        if values and (live or serve):
            raise UsageError(
                "--values is for graphs that are drawn from values.",
                "Leave out --live and --serve, or --values.",
            )
        return graph.GraphOptions(
            environments.environment(environment),
            cluster,
            live=live or serve,
            form=graph.Format(form.value),
            diagrams=tuple(dict.fromkeys(item.value for item in diagram or [])),
            values=tuple(values or ()),
        )

    def draw(listener: Listener) -> Awaitable[GraphResult]:
        from vrooli.workflows import graph

        return graph.graph(asked(), listener)

    def show(listener: Listener) -> Awaitable[Result]:
        from vrooli.workflows import showing

        return showing.serve(asked(), port, listener)

    if serve:
        execute(show, tables.show_nothing, output, debug)
    else:
        execute(draw, _show, output, debug)


def _show(result: GraphResult, console: Console) -> None:
    from rich.console import Console

    """The picture as it is, so that it can be put into a file; what wasn't seen goes elsewhere."""
    if result.missing:
        tables.show_missing(result.missing, Console(stderr=True, highlight=False))
    text = result.text or result.model_dump_json(indent=2, exclude={"text"}) + "\n"
    console.out(text, highlight=False, end="")
