"""``vrooli build``: build an artifact from the source."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import environments
from vrooli.cli import completion, examples, options
from vrooli.cli.run import execute
from vrooli.cli.terminal import tables
from vrooli.events import Listener

if TYPE_CHECKING:
    from rich.console import Console

    from vrooli.workflows.results.artifacts import BuildResult

Version = Annotated[
    str | None,
    typer.Option(
        "--version",
        "-v",
        metavar="VERSION",
        help="Version of the artifact, also written to its values as the image tag of ui, server, "
        "jobs and rotator. Default: the version of the project; tags stay unchanged.",
        show_default=False,
    ),
]
# VROOLI_ENVIRONMENT of the other commands does not apply: it selects a single environment.
Environments = Annotated[
    list[str] | None,
    typer.Option(
        "--environment",
        "-e",
        metavar="NAME",
        autocompletion=completion.environments,
        help="Environment whose values to include. Repeatable. Default: all environments.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Output directory. The artifact is written to DIR/VERSION/artifacts. Default: "
        "build_output in the repository.",
        show_default=False,
    ),
]
WriteSource = Annotated[
    bool,
    typer.Option(
        "--write-source", help="Also write the image tags to the values in the repository."
    ),
]
Images = Annotated[
    bool,
    typer.Option(
        "--images",
        help="Build the images of ui, server, jobs and rotator and add them as one archive.",
    ),
]
PushImages = Annotated[
    bool,
    typer.Option(
        "--push-images",
        help="Build the images as with --images and push them to the image.registry of the values, "
        "with the credentials of buildah, podman or docker.",
    ),
]
Push = Annotated[
    str | None,
    typer.Option(
        "--push",
        metavar="oci://HOST/FOLDER",
        help="Also push the chart to this OCI registry.",
        show_default=False,
    ),
]

EXAMPLES = examples.epilog(
    (
        "Build version 1.2.3 with its images, for a cluster without a registry",
        "vrooli build --version 1.2.3 --images",
    ),
    (
        "Push the images, and the chart to an OCI registry",
        "vrooli build --version 1.2.3 --push-images --push oci://registry.example.com/charts",
    ),
    (
        "Run Vrooli's own images, with the values of a site",
        "vrooli build -v 1.2.3 -e prod -f k8s/chart/values-vrooli.yaml -f site.yaml",
    ),
)


def command(
    version: Version = None,
    environment: Environments = None,
    values: options.ValuesFiles = None,
    out: Out = None,
    write_source: WriteSource = False,
    images: Images = False,
    push_images: PushImages = False,
    push: Push = None,
    output: options.Output = options.OutputFormat.TEXT,
    debug: options.Debug = False,
) -> None:
    """Build an artifact: the packaged chart, the values of each environment and checksums.

    Builds are reproducible: the same source produces the same bytes. `vrooli artifact verify`
    finds files that were changed afterwards.

    Files of --values are included, and override the values of each included environment; a tag in
    them replaces the version. Services whose image they name are not built. Files with secrets are
    refused.
    """

    def work(listener: Listener) -> Awaitable[BuildResult]:
        from vrooli.workflows.artifacts.build import BuildOptions, build

        names = environment or list(environments.ENVIRONMENTS)
        selected = {environments.environment(name) for name in names}
        ordered = tuple(one for one in environments.ENVIRONMENTS.values() if one in selected)
        options_ = BuildOptions(
            version, ordered, out, write_source, images, push, push_images, tuple(values or ())
        )
        return build(options_, listener)

    execute(work, _show, output, debug)


def _show(result: BuildResult, console: Console) -> None:
    tables.show_steps(result, console)
    where = f"Git commit {result.commit}" if result.commit else "files outside of Git"
    changed = " with uncommitted changes" if result.modified else ""
    console.print(f"\nBuilt version {result.version} from {where}{changed}.")
    console.print(f"  {result.path}", soft_wrap=True)
    if result.pushed:
        console.print(f"  {result.pushed}", soft_wrap=True)
    for reference, digest in result.pushed_images.items():
        console.print(f"  {reference}: {digest}", soft_wrap=True)
