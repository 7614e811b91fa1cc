"""The ``vrooli`` command line and its entry point."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from vrooli import inert
from vrooli.cli import (
    artifact,
    backups,
    build,
    cache,
    check,
    cluster,
    db,
    deploy,
    dev,
    develop,
    diagnose,
    drill,
    graph,
    grow,
    logs,
    pausing,
    process_environment,
    releases,
    restore,
    rotate,
    scale,
    sessions,
    setup,
    snapshots,
    status,
    switchover,
    test,
    uninstall,
    upgrade,
    values,
)
from vrooli.cli import open as open_
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
app.command("setup", epilog=setup.EXAMPLES)(setup.command)
app.command("develop", epilog=develop.EXAMPLES)(develop.command)
app.command("dev", epilog=dev.EXAMPLES)(dev.command)
app.command("build", epilog=build.EXAMPLES)(build.command)
app.command("check", cls=check.Worded, epilog=check.EXAMPLES)(check.command)
app.command("deploy", epilog=deploy.EXAMPLES)(deploy.command)
app.command("history", epilog=releases.HISTORY_EXAMPLES)(releases.history)
app.command("rollback", epilog=releases.ROLLBACK_EXAMPLES)(releases.rollback)
app.command("diff", epilog=releases.DIFF_EXAMPLES)(releases.diff)
app.command("backup", epilog=backups.BACKUP_EXAMPLES)(backups.backup)
app.command("backups", epilog=backups.BACKUPS_EXAMPLES)(backups.backups)
app.command("restore", epilog=restore.EXAMPLES)(restore.command)
app.command("scale", epilog=scale.EXAMPLES)(scale.command)
app.command("grow", epilog=grow.EXAMPLES)(grow.command)
app.command("status", epilog=status.EXAMPLES)(status.command)
app.command("diagnose", epilog=diagnose.EXAMPLES)(diagnose.command)
app.command("graph", epilog=graph.EXAMPLES)(graph.command)
app.command("test", epilog=test.EXAMPLES)(test.command)
app.command("logs", epilog=logs.EXAMPLES)(logs.command)
app.command("switchover", epilog=switchover.EXAMPLES)(switchover.command)
app.command("drill", epilog=drill.EXAMPLES)(drill.command)
app.command("rotate", epilog=rotate.EXAMPLES)(rotate.command)
app.command("shell", epilog=sessions.SHELL_EXAMPLES)(sessions.shell)
app.command("psql", epilog=sessions.PSQL_EXAMPLES)(sessions.psql)
app.command("redis-cli", epilog=sessions.REDIS_EXAMPLES)(sessions.redis_cli)
app.command("open", epilog=open_.EXAMPLES)(open_.command)
app.command("uninstall", epilog=uninstall.EXAMPLES)(uninstall.command)
app.command("pause", epilog=pausing.PAUSE_EXAMPLES)(pausing.pause)
app.command("resume", epilog=pausing.RESUME_EXAMPLES)(pausing.resume)
snapshots.add_to(cluster.app)
app.add_typer(cluster.app, name="cluster")
app.add_typer(cache.app, name="cache")
app.add_typer(db.app, name="db")
app.add_typer(artifact.app, name="artifact")
app.add_typer(values.app, name="values")
app.add_typer(upgrade.app, name="upgrade")


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
