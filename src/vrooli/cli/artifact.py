"""``vrooli artifact``: inspect an artifact of `vrooli build`."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli.cli import examples, options
from vrooli.cli.command import App
from vrooli.cli.run import execute
from vrooli.cli.terminal import tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.artifacts import VerifyResult

app = App(help="Inspect artifacts of `vrooli build`.", no_args_is_help=True)


@app.callback()
def _main() -> None:
    """Inspect artifacts of `vrooli build`."""


@app.command(
    epilog=examples.epilog(
        ("Verify the artifact of version 1.2.3", "vrooli artifact verify build_output/1.2.3"),
        ("Verify a downloaded artifact in CI", "vrooli artifact verify artifacts --output json"),
    )
)
def verify(
    path: Annotated[Path, typer.Argument(help="Directory of the artifact, or of its version.")],
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Compare the files of an artifact with their recorded checksums.

    Exits with 1 if a file was changed, added or removed.
    """

    def work(listener: Listener) -> Awaitable[VerifyResult]:
        from vrooli.workflows.artifacts.inspection import verify_artifact

        return verify_artifact(path, listener)

    execute(work, _show, output, debug)


def _show(result: VerifyResult, console: Console) -> None:
    console.print(f"{result.path}: version {result.version}, chart {result.chart}", soft_wrap=True)
    rows = [(item.kind, item.path) for item in result.differences]
    tables.show_rows("Differences", ("", "file"), rows, console)
    if result.ok:
        console.print(f"All {result.file_count} files match their checksums.")
