"""The vrooli command: its commands, and its entry point."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from vrooli.cli import (
    artifact,
    build,
    check,
    cluster,
    deploy,
    develop,
    diagnose,
    faults,
    graph,
    logs,
    releases,
    setup,
    status,
    surroundings,
    test,
    uninstall,
)

# How often the garbage collector looks, as gc.set_threshold takes it.
SELDOM = (50_000, 20, 20)

app = typer.Typer(
    name="vrooli",
    help="Take Vrooli from a bare machine to a healthy release on Kubernetes.",
    epilog=f"Exit codes: {faults.described()}.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("setup")(setup.command)
app.command("develop")(develop.command)
app.command("build")(build.command)
app.command("check", cls=check.Worded)(check.command)
app.command("deploy")(deploy.command)
app.command("history")(releases.history)
app.command("rollback")(releases.rollback)
app.command("diff")(releases.diff)
app.command("status")(status.command)
app.command("diagnose")(diagnose.command)
app.command("graph")(graph.command)
app.command("test")(test.command)
app.command("logs")(logs.command)
app.command("uninstall")(uninstall.command)
app.add_typer(cluster.app, name="cluster")
app.add_typer(artifact.app, name="artifact")


def _version(wanted: bool) -> None:
    if wanted:
        from vrooli import project

        typer.echo(project.version())
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Take Vrooli from a bare machine to a healthy release on Kubernetes."""


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    # Modules and answers are thousands of objects that all stay; looking for cycles among them so
    # often is a tenth of a command's time.
    gc.set_threshold(*SELDOM)
    surroundings.complete()
    try:
        app(prog_name="vrooli")
    except Exception as fault:  # noqa: BLE001 - the outermost frame, see faults
        error = faults.as_error(fault)
        sys.stderr.write(f"{error.message}\n{error.advice}\n")
        sys.exit(error.exit_code)
