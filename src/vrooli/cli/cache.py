"""``vrooli cache``: the caches of this machine, and their removal."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli.cli import examples, options
from vrooli.cli.command import App
from vrooli.cli.run import execute
from vrooli.cli.terminal import tables
from vrooli.events import Listener
from vrooli.grammar import format_bytes

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.caches import CacheResult

app = App(help="Show and clean the caches of this machine.", invoke_without_command=True)


@app.callback()
def _main(ctx: typer.Context) -> None:
    """Show the sizes of the caches, or clean them."""
    if ctx.invoked_subcommand is None:
        show()


@app.command(
    epilog=examples.epilog(
        ("Show what the caches contain", "vrooli cache show"),
        ("Show it as JSON", "vrooli cache show --output json"),
    )
)
def show(output: options.Output = options.OutputFormat.TEXT, debug: options.Debug = False) -> None:
    """Show the sizes of the caches by kind."""

    def work(listener: Listener) -> Awaitable[CacheResult]:
        from vrooli.workflows import cache

        return cache.show(listener)

    execute(work, _show, output, debug)


@app.command(
    epilog=examples.epilog(
        ("Remove what is not needed to run", "vrooli cache clean"),
        ("Also remove what makes the next start faster", "vrooli cache clean --all"),
    )
)
def clean(
    all_kinds: Annotated[
        bool,
        typer.Option("--all", help="Also remove archives of images and unpacked images."),
    ] = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Remove build caches, programs of other versions, and images without a name.

    Everything in the caches can be recreated. What a cluster or a process uses is kept.
    """

    def work(listener: Listener) -> Awaitable[CacheResult]:
        from vrooli.workflows import cache

        return cache.clean(listener, all_kinds=all_kinds)

    execute(work, _show, output, debug)


def _show(result: CacheResult, console: Console) -> None:
    rows = [(item.title, format_bytes(item.size_bytes)) for item in result.caches]
    rows.append(("Total", format_bytes(result.total_bytes)))
    tables.show_rows(f"Caches in {result.path}", ("cache", "size"), rows, console)
    freed = f"{format_bytes(result.freed_bytes)} freed. " if result.changed else ""
    console.print(f"{freed}{format_bytes(result.free_bytes)} are free on their disk.")
