"""``vrooli restore --into``: a copy of PostgreSQL in another namespace."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from vrooli import shell
from vrooli.cli.restores.postgres import show_tables
from vrooli.cli.restores.request import RestoreRequest
from vrooli.cli.run import execute
from vrooli.cli.terminal import prompt, tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.backups import RestoreResult


def run(request: RestoreRequest) -> None:
    """Restore a copy of PostgreSQL in another namespace."""

    def work(listener: Listener) -> Awaitable[RestoreResult]:
        from vrooli.workflows.restores.copy import RestoreOptions, restore

        options = RestoreOptions(
            request.environment,
            request.to,
            request.point,
            request.into,
            request.cluster,
            request.repository,
            request.timeout_s,
        )
        return restore(options, listener, prompt.consent(yes=request.yes))

    execute(work, _show, request.output, request.debug)


def _show(result: RestoreResult, console: Console) -> None:
    tables.show_steps(result, console)
    show_tables(result.tables, ("in the copy", "now"), console)
    at = f"at {result.moment:%Y-%m-%d %H:%M:%SZ}" if result.moment else "of the archived WAL"
    console.print(
        f"\nThe copy {result.namespace}/{result.cluster} has the data of {result.release} {at}."
    )
    tables.show_notes(result.differences, console)
    namespace, name = shell.label(result.namespace), shell.segment(result.cluster)
    console.print(
        "To open it: "
        f"`kubectl exec -it -n {namespace} -c database "
        f"$(kubectl get pods -n {namespace} -o name "
        f"-l postgres-operator.crunchydata.com/cluster={name},"
        "postgres-operator.crunchydata.com/data=postgres) -- psql`",
        markup=False,
        soft_wrap=True,
    )
    console.print(
        f"To delete it: `kubectl delete postgrescluster {name} -n {namespace}`",
        markup=False,
        soft_wrap=True,
    )
