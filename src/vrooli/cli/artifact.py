"""``vrooli artifact …``: what `vrooli build` made."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli.cli import options, tables
from vrooli.cli.run import execute
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results import VerifyResult

app = typer.Typer(help="Look at artifacts, which `vrooli build` makes.", no_args_is_help=True)


@app.callback()
def _main() -> None:
    """Look at artifacts, which `vrooli build` makes."""


@app.command()
def verify(
    path: Annotated[
        Path, typer.Argument(help="The artifact's folder, or its version's folder around it.")
    ],
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Find every byte of an artifact that isn't as it was built. Ends with 1 when any isn't."""

    def work(listener: Listener) -> Awaitable[VerifyResult]:
        from vrooli.workflows.artifact import verify_artifact

        return verify_artifact(path, listener)

    execute(work, _show, output, debug)


def _show(result: VerifyResult, console: Console) -> None:
    console.print(f"{result.path}: version {result.version}, chart {result.chart}", soft_wrap=True)
    rows = [(item.kind, item.path) for item in result.differences]
    tables.show_rows("Not as it was built", ("", "file"), rows, console)
    if result.ok:
        console.print(f"All {result.files} files are as they were built.")
