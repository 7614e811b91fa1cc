"""``vrooli db``: the data of the dev release."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from vrooli import environments
from vrooli.cli import examples, options
from vrooli.cli.command import App
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.db import DbOptions
    from vrooli.workflows.results.databases import ResetResult, SeedResult

app = App(help="Empty or fill the data of the dev release.", no_args_is_help=True)


@app.command(
    epilog=examples.epilog(
        ("Empty the dev release", "vrooli db reset"),
        ("Empty it without prompts", "vrooli db reset --yes"),
    )
)
def reset(
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    yes: prompt.Yes = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Delete all posts, pictures and Redis keys of the dev release, and wait until it is healthy.

    Tables, users, secrets and backups stay. Refused for staging and prod.
    """

    def work(listener: Listener) -> Awaitable[ResetResult]:
        from vrooli.workflows import db

        return db.reset(_options(environment, cluster), listener, prompt.consent(yes=yes))

    execute(work, _show_reset, output, debug)


@app.command(
    epilog=examples.epilog(
        ("Write five posts, four of them with a picture", "vrooli db seed"),
        ("Print them with their IDs as JSON", "vrooli db seed --yes -o json"),
    )
)
def seed(
    environment: options.EnvironmentName = "dev",
    cluster: options.ClusterName = None,
    yes: prompt.Yes = False,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Write a few posts with pictures through the API of the dev release, unless it has them.

    Refused for staging and prod.
    """

    def work(listener: Listener) -> Awaitable[SeedResult]:
        from vrooli.workflows import db

        return db.seed(_options(environment, cluster), listener, prompt.consent(yes=yes))

    execute(work, _show_seed, output, debug)


def _options(environment: str, cluster: str | None) -> DbOptions:
    from vrooli.workflows.db import DbOptions

    return DbOptions(environments.environment(environment), cluster)


def _show_reset(result: ResetResult, console: Console) -> None:
    tables.show_steps(result, console)
    console.print(f"\n{result.release} in namespace {result.namespace} has no data and is healthy.")


def _show_seed(result: SeedResult, console: Console) -> None:
    tables.show_steps(result, console)
    rows = [(post.state, post.text) for post in result.posts]
    tables.show_rows("Posts", ("state", "text"), rows, console)
