"""``vrooli build``: an artifact of this source."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import options, tables
from vrooli.cli.run import execute
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results import BuildResult

Version = Annotated[
    str | None,
    typer.Option(
        "--version",
        "-v",
        metavar="MAJOR.MINOR.PATCH",
        help="The version, written as the tags of ui, server, jobs and rotator into the artifact's "
        "values. Without it: the project's version, and no tag is written.",
        show_default=False,
    ),
]
# Without the variable of the other commands: that names one environment, to work in.
Environments = Annotated[
    list[str] | None,
    typer.Option(
        "--environment",
        "-e",
        help="Only this environment's values; may be given again. Without it: all of them.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Where to put it, as DIR/VERSION/artifacts. Without it: build_output in the "
        "repository.",
        show_default=False,
    ),
]
WriteSource = Annotated[
    bool,
    typer.Option("--write-source", help="Write the tags into the repository's values, too."),
]
Images = Annotated[
    bool,
    typer.Option(
        "--images",
        help="Build the images of ui, server, jobs and rotator, and put them in, in one archive.",
    ),
]
PushImages = Annotated[
    bool,
    typer.Option(
        "--push-images",
        help="As --images, and push them to the image.registry of the values, with the logins of "
        "buildah, podman or docker on this machine.",
    ),
]
Push = Annotated[
    str | None,
    typer.Option(
        "--push",
        metavar="oci://HOST/FOLDER",
        help="Push the chart to this OCI registry, too.",
        show_default=False,
    ),
]


def command(
    version: Version = None,
    environment: Environments = None,
    out: Out = None,
    write_source: WriteSource = False,
    images: Images = False,
    push_images: PushImages = False,
    push: Push = None,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Build an artifact: the packaged chart and each environment's values, checked and recorded.

    The same source makes the same bytes. `vrooli artifact verify` finds any that changed.
    """

    def work(listener: Listener) -> Awaitable[BuildResult]:
        from vrooli.workflows.build import BuildOptions, build

        names = environment or list(environments.ENVIRONMENTS)
        found = {environments.environment(name) for name in names}
        ordered = tuple(one for one in environments.ENVIRONMENTS.values() if one in found)
        wanted = BuildOptions(version, ordered, out, write_source, images, push, push_images)
        return build(wanted, listener)

    execute(work, _show, output, debug)


def _show(result: BuildResult, console: Console) -> None:
    tables.show_steps(result, console)
    where = f"Git commit {result.revision}" if result.revision else "no Git commit"
    changed = ", with changes that aren't committed" if result.modified else ""
    console.print(f"\nVersion {result.version}, made from {where}{changed}.")
    console.print(f"  {result.path}", soft_wrap=True)
    if result.pushed:
        console.print(f"  {result.pushed}", soft_wrap=True)
    for reference, digest in result.pushed_images.items():
        console.print(f"  {reference} is {digest}", soft_wrap=True)
