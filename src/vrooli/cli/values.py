"""``vrooli values``: convert values files."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli.cli import examples, options
from vrooli.cli.command import App
from vrooli.cli.run import execute
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.values import ConvertResult, KeyView

app = App(help="Convert values files.", no_args_is_help=True)

Files = Annotated[
    list[Path],
    typer.Argument(
        help="Values files of upstream's chart, in the order in which Helm gets them: a later file "
        "overrides the earlier ones."
    ),
]
OutputFile = Annotated[
    Path | None,
    typer.Option(
        "--output-file",
        metavar="FILE",
        help="Write the converted values to a file. Default: standard output.",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")]


@app.callback()
def _main() -> None:
    """Convert values files."""


@app.command(
    epilog=examples.epilog(
        (
            "Convert the values of production to a file",
            "vrooli values convert values.yaml values-prod.yaml --output-file converted.yaml",
        ),
        (
            "List what each key became, as JSON",
            "vrooli values convert values-dev.yaml --output json",
        ),
    )
)
def convert(
    files: Files,
    output_file: OutputFile = None,
    force: Force = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Convert values files of upstream's chart to values of this chart.

    Prints what each key became, or why it has no place, to standard error. Secrets are not
    written: the report names the path in Vault for each. If several keys have the same target, the
    report names the one that takes precedence. What the chart would reject is left out.

    Exits with 1 if the chart requires values that the files do not contain.
    """

    def work(listener: Listener) -> Awaitable[ConvertResult]:
        from vrooli.workflows.values import ConvertOptions, convert

        return convert(ConvertOptions(tuple(files), output_file, force), listener)

    execute(work, _show, output, debug)


def _show(result: ConvertResult, console: Console) -> None:
    from rich.console import Console as Report

    if result.path is None:
        console.out(result.values, highlight=False, end="")
    # The report does not mix with values that are redirected to a file.
    report = Report(stderr=True, highlight=False, markup=False, emoji=False)
    for item in result.keys:
        report.print(_line(item), soft_wrap=True)
    if result.path:
        report.print(f"\nValues written to {result.path}.", soft_wrap=True)
    for text in result.required:
        report.print(f"  ✗ required: {text}", soft_wrap=True)


def _line(item: KeyView) -> str:
    targets = f" → {', '.join(item.targets)}" if item.targets else ""
    reason = f": {item.reason}" if item.reason else ""
    return f"{item.outcome.value:<10}  {item.key}{targets}{reason}"
