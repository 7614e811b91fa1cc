"""The bills of materials of a build: of the artifact's images, and of the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path

from vrooli import images
from vrooli.artifact import sbom
from vrooli.errors import CommandError
from vrooli.events import Progress
from vrooli.files import write_atomically
from vrooli.images import Package
from vrooli.images.builders.detection import detect
from vrooli.steps import Done


def of_services(
    version: str,
    time: datetime,
    packages: Mapping[str, tuple[Package, ...]],
    digests: Mapping[str, str],
) -> str:
    """The document of the images in an artifact.

    Args:
        version: The version of the artifact.
        time: The time of its source, UTC.
        packages: The packages of each image, by service.
        digests: The digests of the images, by service.
    """
    contents = {
        service: sbom.Contents(digests[service], contained)
        for service, contained in packages.items()
    }
    return sbom.text("vrooli", version, time, contents)


async def write_platform(
    path: Path, version: str, time: datetime, services: Collection[str], progress: Progress
) -> Done:
    """Write the document of the other images that this machine has built.

    A cluster runs them with the artifact, so their content is listed beside it. They are not in
    it: an artifact does not depend on the machine. No image is built for the document.

    Args:
        path: The document.
        version: The version of the artifact.
        time: The time of its source, UTC.
        services: The images in the artifact, which it lists itself.
        progress: Reports which image is read.
    """
    builder = await detect()
    stored = images.newest_builds(await builder.images())
    others = {name: image for name, image in stored.items() if name not in services}
    try:
        packages = await images.read_with_modules(others, progress, builder=builder)
    except CommandError as error:  # another run may have removed an image
        return Done(changed=False, detail=f"not listed: {error.message.splitlines()[0]}")
    contents = {
        name: sbom.Contents(f"sha256:{others[name].id.removeprefix('sha256:')}", contained)
        for name, contained in packages.items()
    }
    text = sbom.text("vrooli-platform", version, time, contents)
    changed = not path.exists() or path.read_text() != text
    if changed:
        write_atomically(path, text)
    return Done(changed, f"{len(packages)} images in {path.name}")
