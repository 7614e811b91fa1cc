"""``vrooli check``: can it be deployed here?"""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from vrooli import environments
from vrooli.cli import asking, options, tables
from vrooli.cli.run import execute
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.check import CheckOptions
    from vrooli.workflows.results import CheckResult

CheckOnly = Annotated[
    bool,
    typer.Option(
        "--check-only/--no-check-only",
        help="Make no probe pods, fix nothing whatever else is said, and give no instructions. "
        "A yes or no may follow.",
        show_default=False,
    ),
]
Operators = Annotated[
    bool,
    typer.Option("--operators", help="Look only at the operators, their kinds and Vault."),
]
Fix = Annotated[
    bool,
    typer.Option(
        "--fix",
        help="Do what is safe: install missing operators; write the development Vault's policies, "
        "role and first secrets. Asks first, then looks again.",
    ),
]
Yes = Annotated[
    bool,
    typer.Option(
        "--yes/--no-yes",
        "-y",
        help="Don't ask before anything is fixed. A yes or no may follow.",
        show_default=False,
    ),
]
JUnit = Annotated[
    Path | None,
    typer.Option("--junit", metavar="FILE", help="Write JUnit XML, too.", show_default=False),
]
# The options that the specification's scripts give a word after, and what the words mean.
WORDED = ("--check-only", "--yes")
WORDS = {"yes": "--", "no": "--no-"}


class Worded(TyperCommand):
    """Takes `--yes yes` and `--check-only no` beside the plain flags."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse, after each word has become part of its flag."""
        return super().parse_args(ctx, list(_as_flags(args)))


def _as_flags(args: Sequence[str]) -> Iterator[str]:
    found = list(args)
    while found:
        first = found.pop(0)
        if first in WORDED and found and found[0] in WORDS:
            first = WORDS[found.pop(0)] + first.removeprefix("--")
        yield first


def command(
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    values: options.ValuesFiles = None,
    secrets_source: options.Secrets = environments.SecretsSource.VAULT,
    check_only: CheckOnly = False,
    operators: Operators = False,
    fix: Fix = False,
    yes: Yes = False,
    junit: JUnit = None,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Check that a cluster has all that a release needs, before it is deployed.

    Looks at what the environment's values need, all at once, each with a time limit: tools,
    cluster, rights, operators, Vault, volumes, network, images, room. Some checks make pods, in a
    namespace of their own that is deleted again. Ends with 1 when something is wrong, and with 3
    when the cluster, the namespace, the rights, the kinds or the operators can't be seen.
    """

    def work(listener: Listener) -> Awaitable[CheckResult]:
        from vrooli.workflows.check import CheckOptions, check

        wanted = CheckOptions(
            environments.environment(environment),
            cluster,
            tuple(values or ()),
            secrets_source,
            check_only,
            operators,
            fix,
            junit,
        )
        return check(wanted, listener, None if yes or not _mends(wanted) else _confirm)

    execute(work, lambda result, console: _show(result, console, check_only), output, debug)


def _mends(wanted: CheckOptions) -> bool:
    return wanted.fix and not wanted.check_only


def _confirm(said: Sequence[str]) -> bool:
    """Ask the person; without one, the answer is no."""
    what = "\n".join(f"  - {line}" for line in said)
    return asking.on_terminal() and asking.confirm(f"This can be done now:\n{what}\nDo it?")


def _show(result: CheckResult, console: Console, check_only: bool) -> None:
    tables.show_missing(result.missing, console)
    tables.show_rows(
        f"Checks for {result.environment} on {result.cluster}",
        ("", "check", "state", "time", "found"),
        [
            (
                {"ok": True, "failed": False}.get(view.state),
                view.title,
                view.state,
                tables.duration(view.elapsed_s),
                view.found,
            )
            for view in result.checks
        ],
        console,
    )
    for view in result.checks:
        for item in view.findings:
            _show_finding(view.title, item, console, check_only)
    if result.fixed:
        done = ", ".join(step.title for step in result.fixed if step.outcome == "changed")
        console.print(f"\nFixed: {done or 'nothing needed to be changed'}; then looked again.")
    if result.fixable and not check_only:
        console.print(f"\n`vrooli check --fix` would {'; '.join(result.fixable)}.", markup=False)
    bad = sum(view.state == "failed" for view in result.checks)
    unseen = sum(view.state == "could not be seen" for view in result.checks)
    said = "Nothing wrong" if result.ok else "Too little could be seen to say that nothing is wrong"
    if bad:
        said = f"{bad} of {len(result.checks)} checks found something wrong"
    if unseen:
        said += f"; {unseen} could not be seen"
    console.print(f"\n{said}, {tables.duration(result.elapsed_s)}.")


def _show_finding(title: str, item: Any, console: Console, check_only: bool) -> None:
    from rich.text import Text

    console.print()
    console.print(Text.assemble(("✗ ", "red"), (title, "bold"), f"  {item.what}: {item.found}"))
    if not check_only:
        for line in filter(None, (item.remedy, item.command and f"$ {item.command}")):
            console.print(Text(f"  {line}"))
