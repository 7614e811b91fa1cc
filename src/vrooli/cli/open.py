"""``vrooli open``: open a page of a release in a browser."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import examples, options
from vrooli.cli.run import execute
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.base import Result

EXAMPLES = examples.epilog(
    ("Open the UI", "vrooli open"),
    ("Print the URL of Adminer", "vrooli open adminer --no-browser"),
    ("Open the live graph of production", "vrooli open graph -e prod --cluster context:my-cluster"),
)


class Page(StrEnum):
    """The pages of a release."""

    UI = "ui"
    SERVER = "server"
    ADMINER = "adminer"
    GRAPH = "graph"


def command(
    page: Annotated[Page, typer.Argument(help="Page: ui, server, adminer or graph.")] = Page.UI,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the URL without opening it.")
    ] = False,
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Open a page of a release in the default browser, and print its URL.

    A page without a URL is forwarded to a port of this machine until Ctrl-C.
    """

    def work(listener: Listener) -> Awaitable[Result]:
        from vrooli.workflows.sessions import pages as workflow

        where = environments.environment(environment)
        request = workflow.OpenOptions(where, page.value, cluster)
        return workflow.open_page(request, _print_only if no_browser else _browse, listener)

    execute(work, _show, output, debug)


def _print_only(url: str) -> bool:
    """Open nothing."""
    del url
    return False


def _browse(url: str) -> bool:
    """Open a URL in the default browser; not in a text browser, which takes over the terminal."""
    import webbrowser

    displays = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform != "darwin" and not any(os.environ.get(name) for name in displays):
        return False
    return webbrowser.open(url)


def _show(result: Result, console: Console) -> None:
    from vrooli.workflows.results.sessions import OpenResult

    if isinstance(result, OpenResult):
        console.print(result.url, highlight=False)
        for note in result.notes:
            console.print(note, highlight=False)
