"""``vrooli check``: verify that a cluster meets the requirements of a release."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vrooli import environments, inert
from vrooli.cli import examples, options
from vrooli.cli.command import Command
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.checks.check import CheckOptions
    from vrooli.workflows.results.findings import CheckResult, FindingView

CheckOnly = Annotated[
    bool,
    typer.Option(
        "--check-only/--no-check-only",
        help="Create no probe pods, ignore --fix and print no remediation. Also accepts yes or no "
        "as a value.",
        show_default=False,
    ),
]
Operators = Annotated[
    bool,
    typer.Option("--operators", help="Check only the operators, their CRDs and Vault."),
]
Fix = Annotated[
    bool,
    typer.Option(
        "--fix",
        help="Apply safe fixes after confirmation, then check again: install missing operators and "
        "write the policies, role and initial secrets of the development Vault.",
    ),
]
Yes = Annotated[
    bool,
    typer.Option(
        "--yes/--no-yes",
        "-y",
        help="Skip confirmation of fixes. Also accepts yes or no as a value.",
        show_default=False,
    ),
]
JUnit = Annotated[
    Path | None,
    typer.Option(
        "--junit", metavar="FILE", help="Also write the results as JUnit XML.", show_default=False
    ),
]
# Options that take a word in the scripts of the specification, and the prefix for each word.
WORDED = ("--check-only", "--yes")
WORDS = {"yes": "--", "no": "--no-"}


class Worded(Command):
    """Accepts `--yes yes` and `--check-only no` in addition to the plain flags."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments after merging each word into its flag."""
        return super().parse_args(ctx, list(_as_flags(args)))


def _as_flags(args: Sequence[str]) -> Iterator[str]:
    values = list(args)
    while values:
        first = values.pop(0)
        if first in WORDED and values and values[0] in WORDS:
            first = WORDS[values.pop(0)] + first.removeprefix("--")
        yield first


EXAMPLES = examples.epilog(
    ("Check the dev environment on the default cluster", "vrooli check"),
    (
        "Check production without creating pods",
        "vrooli check -e prod --cluster context:my-cluster --check-only",
    ),
    ("Fix what can be fixed safely", "vrooli check --fix"),
)


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
    """Check whether a cluster meets the requirements of a release.

    Checks what the values of the environment require, in parallel and each with a timeout: tools,
    cluster, permissions, operators, Vault, volumes, network, images, capacity. Some checks create
    pods in a temporary namespace.

    Exits with 1 if a check fails, and with 3 if the cluster, the namespace, the permissions, the
    CRDs or the operators could not be checked.
    """

    def work(listener: Listener) -> Awaitable[CheckResult]:
        from vrooli.workflows.checks.check import CheckOptions, check

        request = CheckOptions(
            environments.environment(environment),
            cluster,
            tuple(values or ()),
            secrets_source,
            check_only,
            operators,
            fix,
            junit,
        )
        return check(request, listener, None if yes or not _can_fix(request) else _confirm)

    execute(work, lambda result, console: _show(result, console, check_only), output, debug)


def _can_fix(request: CheckOptions) -> bool:
    return request.fix and not request.check_only


def _confirm(lines: Sequence[str]) -> bool:
    """Ask for confirmation; without a terminal, the answer is no."""
    what = "\n".join(f"  - {inert.line(line)}" for line in lines)
    return prompt.on_terminal() and prompt.confirm(
        f"The following fixes are available:\n{what}\nApply them?"
    )


def _show(result: CheckResult, console: Console, check_only: bool) -> None:
    tables.show_missing(result.missing, console)
    tables.show_rows(
        f"Checks for {result.environment} on {result.cluster}",
        ("", "check", "state", "time", "detail"),
        [
            (
                {"ok": True, "failed": False}.get(view.state),
                view.title,
                view.state,
                tables.duration(view.elapsed_s),
                view.message,
            )
            for view in result.checks
        ],
        console,
    )
    for view in result.checks:
        for item in view.findings:
            _show_finding(view.title, item, console, check_only)
    if result.fixes:
        done = ", ".join(step.title for step in result.fixes if step.outcome == "changed")
        console.print(f"\nFixed: {done or 'nothing to change'}. All checks ran again.")
    if result.fixable and not check_only:
        console.print(f"\n`vrooli check --fix` would {'; '.join(result.fixable)}.", markup=False)
    tables.show_packages(result.packages, console)
    bad = sum(view.state == "failed" for view in result.checks)
    unknown = sum(view.state == "unknown" for view in result.checks)
    summary = "No problems found" if result.ok else "Required data could not be read"
    if bad:
        summary = f"{bad} of {len(result.checks)} checks failed"
    if unknown:
        summary += f"; {unknown} could not be checked"
    console.print(f"\n{summary}, {tables.duration(result.elapsed_s)}.")


def _show_finding(title: str, item: FindingView, console: Console, check_only: bool) -> None:
    from rich.text import Text

    console.print()
    console.print(
        Text.assemble(("✗ ", "red"), (title, "bold"), f"  {item.resource}: {item.message}")
    )
    if not check_only:
        for line in filter(None, (item.remediation, item.command and f"$ {item.command}")):
            console.print(Text(f"  {line}"))
