"""``vrooli test``: run the tests of a release or of this project."""

from __future__ import annotations

from collections.abc import Awaitable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.suites import SuitesResult


class Suite(StrEnum):
    """Test suites."""

    LIVE = "live"
    LINT = "lint"
    VULNERABILITIES = "vulnerabilities"
    UNIT = "unit"
    PROGRAMS = "programs"
    SERVICES = "services"
    CHART = "chart"
    CLUSTER = "cluster"
    E2E = "e2e"
    ALL = "all"


Suites = Annotated[
    list[Suite],
    typer.Option(
        "--suite",
        "-s",
        envvar="VROOLI_SUITE",
        metavar="NAME",
        help="Test suite. live: the Helm tests of the running release. lint, vulnerabilities, "
        "unit, programs, services, chart, cluster, e2e: suites of this repository. all: every "
        "suite of this repository. Repeatable.",
    ),
]

EXAMPLES = examples.epilog(
    ("Test the running release", "vrooli test"),
    (
        "Run the linters and the unit tests of this repository",
        "vrooli test --suite lint --suite unit",
    ),
    ("Update the golden files of the chart", "vrooli test --suite chart --update"),
)


def command(
    suite: Suites = [Suite.LIVE],  # noqa: B006 - typer's way of a list's default
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    long: Annotated[bool, typer.Option("--long", help="Also run long tests.")] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Update golden files instead of comparing them.")
    ] = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Run the Helm tests of a running release, or test suites of this repository."""

    def work(listener: Listener) -> Awaitable[SuitesResult]:
        from vrooli.workflows.suites.test import SuiteOptions, run_suites

        request = SuiteOptions(
            suites=tuple(dict.fromkeys(item.value for item in suite)),
            environment=environments.environment(environment),
            cluster=cluster,
            long=long,
            update=update,
            quiet=output is options.OutputFormat.JSON,
        )
        return run_suites(request, listener)

    execute(work, _show, output, debug)


def _show(result: SuitesResult, console: Console) -> None:
    tables.show_rows(
        "Tests",
        ("", "name", "time", "detail"),
        [
            (
                case.passed if case.checked else "-",
                case.name,
                tables.duration(case.elapsed_s),
                case.log,
            )
            for case in result.cases
        ],
        console,
    )
