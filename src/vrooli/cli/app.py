"""The ``vrooli`` command line and its entry point."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from vrooli import inert
from vrooli.cli import process_environment
from vrooli.cli.command import App
from vrooli.cli.terminal import errors

# Thresholds for gc.set_threshold: fewer collections than the default.
SELDOM = (50_000, 20, 20)

app = App(
    name="vrooli",
    help="Build, deploy and diagnose Vrooli on Kubernetes.",
    epilog=f"Exit codes: {errors.described()}.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.defer("setup", "vrooli.cli.setup")
app.defer("develop", "vrooli.cli.develop")
app.defer("dev", "vrooli.cli.dev")
app.defer("build", "vrooli.cli.build")
app.defer("check", "vrooli.cli.check", cls="Worded")
app.defer("deploy", "vrooli.cli.deploy")
app.defer("history", "vrooli.cli.releases", "history", "HISTORY_EXAMPLES")
app.defer("rollback", "vrooli.cli.releases", "rollback", "ROLLBACK_EXAMPLES")
app.defer("diff", "vrooli.cli.releases", "diff", "DIFF_EXAMPLES")
app.defer("backup", "vrooli.cli.backups", "backup", "BACKUP_EXAMPLES")
app.defer("backups", "vrooli.cli.backups", "backups", "BACKUPS_EXAMPLES")
app.defer("restore", "vrooli.cli.restores.restore")
app.defer("scale", "vrooli.cli.scale")
app.defer("grow", "vrooli.cli.grow")
app.defer("status", "vrooli.cli.status")
app.defer("diagnose", "vrooli.cli.diagnose")
app.defer("graph", "vrooli.cli.graph")
app.defer("test", "vrooli.cli.test")
app.defer("logs", "vrooli.cli.logs")
app.defer("switchover", "vrooli.cli.switchover")
app.defer("drill", "vrooli.cli.drill")
app.defer("rotate", "vrooli.cli.rotate")
app.defer("shell", "vrooli.cli.sessions", "shell", "SHELL_EXAMPLES")
app.defer("psql", "vrooli.cli.sessions", "psql", "PSQL_EXAMPLES")
app.defer("redis-cli", "vrooli.cli.sessions", "redis_cli", "REDIS_EXAMPLES")
app.defer("open", "vrooli.cli.open")
app.defer("uninstall", "vrooli.cli.uninstall")
app.defer("pause", "vrooli.cli.pausing", "pause", "PAUSE_EXAMPLES")
app.defer("resume", "vrooli.cli.pausing", "resume", "RESUME_EXAMPLES")
app.defer("cluster", "vrooli.cli.cluster", "app")
app.defer("cache", "vrooli.cli.cache", "app")
app.defer("db", "vrooli.cli.db", "app")
app.defer("artifact", "vrooli.cli.artifact", "app")
app.defer("values", "vrooli.cli.values", "app")
app.defer("upgrade", "vrooli.cli.upgrade", "app")


def _version(requested: bool) -> None:
    if requested:
        from vrooli import project

        typer.echo(project.version())
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Build, deploy and diagnose Vrooli on Kubernetes."""


def main() -> None:
    """Run the command line and exit with its exit code."""
    # Modules and API responses are thousands of long-lived objects. With the default thresholds,
    # the collector takes a tenth of a command's time.
    gc.set_threshold(*SELDOM)
    process_environment.complete()
    try:
        app(prog_name="vrooli")
    except Exception as fault:  # noqa: BLE001 - the outermost frame, see faults
        error = errors.as_error(fault)
        sys.stderr.write(inert.lines(f"{error.message}\n{error.advice}\n"))
        sys.exit(error.exit_code)
