"""The base image: created from Debian's signed packages, or pulled from a registry.

apt verifies each package against the keys of Debian's archive. An image of a registry is verified
only if its name contains its digest, and a digest in this repository would exclude security
updates. So packages come first, and ``VROOLI_BASE_IMAGE`` selects an image, best with a digest.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from vrooli import process
from vrooli.errors import CommandError, PrerequisiteError
from vrooli.image_names import with_digest
from vrooli.images import records
from vrooli.images.builders.interface import Builder, Request

SUITE = "bookworm"
# Selects an image of a registry.
VARIABLE = "VROOLI_BASE_IMAGE"
# The image if none is selected and this host cannot create one from packages.
PULLED = "docker.io/library/debian:bookworm-slim"
# A registry that does not respond within this time is considered unreachable, seconds.
PULL_TIMEOUT_S = 60.0
PACKAGES_TIMEOUT_S = 900.0
# As in debian:bookworm-slim: no manuals, translations or caches, but the licences. dpkg does not
# sync the disk after each package, since the result of a failed build is discarded.
OPTIONS = (
    "--variant=minbase",
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    '--aptopt=APT::Install-Recommends "false"',
    '--aptopt=Acquire::Languages "none"',
)
APT = Path("/etc/apt")
# The record of the last renewal, in the cache.
RENEWED = "renewed"


def pulled_reference() -> str:
    """The image to pull; with a digest, without a tag: buildah supports only one of both."""
    selected = os.environ.get(VARIABLE) or PULLED
    name, sign, digest = selected.partition("@")
    return with_digest(name, digest) if sign else selected


def inputs_hash() -> str:
    """The inputs that determine the base image; the mirror of its packages is not one of them."""
    inputs = (pulled_reference(), SUITE, *OPTIONS, *_renewal())
    return hashlib.sha256("\n".join(inputs).encode()).hexdigest()


def renew() -> None:
    """Let the next build create the base image, and with it all others, from current packages."""
    path = records.folder() / RENEWED
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{time.time_ns()}\n")


def _renewal() -> tuple[str, ...]:
    """The time of the last renewal; nothing before the first one."""
    path = records.folder() / RENEWED
    return (path.read_text(),) if path.exists() else ()


def security_archive() -> str:
    """The URL of Debian's security archive of the suite, on the mirror that builds use."""
    for line in debian_sources(_apt_files()):
        _, uri, suite, _ = line.split()
        if suite == f"{SUITE}-security":
            return f"{uri}/dists/{suite}"
    return f"http://deb.debian.org/debian-security/dists/{SUITE}-security"


async def provide(
    builder: Builder, request: Request, workspace: Path, on_line: Callable[[str], None]
) -> None:
    """Add the base image to the builder's store.

    Raises:
        PrerequisiteError: It can be neither created nor pulled on this machine.
    """
    if os.environ.get(VARIABLE):
        await _pull_selected(builder, request, on_line)
    else:
        await _create(builder, request, workspace, on_line)
    for renewal in _renewal():
        await _mark(builder, request.reference, workspace, on_line, renewal.strip())


async def _pull_selected(
    builder: Builder, request: Request, on_line: Callable[[str], None]
) -> None:
    """Pull the image that the user selected; no other one is used in its place."""
    on_line(f"pulling {pulled_reference()}")
    try:
        await builder.pull(pulled_reference(), request.reference, PULL_TIMEOUT_S)
    except CommandError as error:
        tail = "\n".join(error.output.strip().splitlines()[-5:])
        raise PrerequisiteError(
            f"The base image {pulled_reference()} ({VARIABLE}) can't be pulled:\n{tail}",
            "Check the name and its digest, and that its registry is reachable, or unset "
            f"{VARIABLE} to create the base image from Debian's packages.",
        ) from error


async def _create(
    builder: Builder, request: Request, workspace: Path, on_line: Callable[[str], None]
) -> None:
    """Create the image from packages; where this host cannot do so, pull it by its tag."""
    reason = "mmdebstrap is not installed"
    if shutil.which("mmdebstrap") is not None:
        try:
            return await _build_from_packages(builder, request, workspace, on_line)
        except CommandError as error:
            last = "".join(error.output.strip().splitlines()[-1:])
            reason = f"mmdebstrap failed ({last})" if last else "mmdebstrap failed"
    on_line(f"{reason}: pulling {PULLED}")
    try:
        await builder.pull(PULLED, request.reference, PULL_TIMEOUT_S)
    except CommandError as error:
        raise PrerequisiteError(
            f"The base image can't be created from Debian's packages, since {reason}, and {PULLED} "
            "can't be pulled.",
            "Run `vrooli setup`, which installs mmdebstrap, check that the mirrors of Debian are "
            f"reachable, or set {VARIABLE} to a Debian {SUITE} image in a registry.",
        ) from error


async def _mark(
    builder: Builder,
    reference: str,
    workspace: Path,
    on_line: Callable[[str], None],
    renewal: str,
) -> None:
    """Add the time of the renewal to the image.

    Otherwise an unchanged base would keep the images on it, whose own packages may have updates,
    and the builder would use its cached layers.
    """
    context = workspace / "renewed"
    context.mkdir()
    containerfile = context / "Containerfile"
    containerfile.write_text(f'FROM {reference}\nLABEL com.vrooli.renewed="{renewal}"\n')
    await builder.build(Request(reference, containerfile=containerfile, context=context), on_line)


async def _build_from_packages(
    builder: Builder, request: Request, workspace: Path, on_line: Callable[[str], None]
) -> None:
    on_line(f"creating Debian {SUITE} from its packages")
    context = workspace / "base"
    context.mkdir()
    sources = workspace / "sources.list"
    sources.write_text("".join(f"{line}\n" for line in debian_sources(_apt_files())))
    rootfs = context / "rootfs.tar"
    await process.run(
        ["mmdebstrap", *OPTIONS, SUITE, rootfs, sources],
        timeout_s=PACKAGES_TIMEOUT_S,
        on_line=on_line,
        merged=True,
    )
    await builder.build(
        Request(request.reference, containerfile=request.containerfile, context=context), on_line
    )


def debian_sources(files: Iterable[str]) -> list[str]:
    """The apt sources of the suite: the host's mirrors, else Debian's servers.

    Args:
        files: The contents of the host's source files, one-line or deb822 style.
    """
    suites = (SUITE, f"{SUITE}-updates", f"{SUITE}-security")
    mirrors: dict[str, str] = {}
    for content in files:
        for uri, suite, components in (*_one_line(content), *_deb822(content)):
            if suite in suites and "main" in components:
                mirrors.setdefault(suite, uri)
    if SUITE not in mirrors:
        debian = "http://deb.debian.org/debian"
        mirrors = {suites[0]: debian, suites[1]: debian, suites[2]: f"{debian}-security"}
    return [f"deb {mirrors[suite]} {suite} main" for suite in suites if suite in mirrors]


def _apt_files() -> list[str]:
    paths = [APT / "sources.list", *sorted((APT / "sources.list.d").glob("*"))]
    return [path.read_text(errors="replace") for path in paths if path.is_file()]


def _one_line(content: str) -> Iterable[tuple[str, str, list[str]]]:
    pattern = r"^deb\s+(?:\[[^\]]*\]\s+)?(https?://\S+)\s+(\S+)\s+(.+)$"
    for uri, suite, components in re.findall(pattern, content, re.MULTILINE):
        yield uri.rstrip("/"), suite, components.split()


def _deb822(content: str) -> Iterable[tuple[str, str, list[str]]]:
    for stanza in re.split(r"\n\s*\n", content):
        fields = dict(re.findall(r"^(URIs|Suites|Components|Enabled):\s*(.+)$", stanza, re.M))
        uri = next((u for u in fields.get("URIs", "").split() if u.startswith("http")), None)
        if uri and fields.get("Enabled", "yes").strip() != "no":
            for suite in fields.get("Suites", "").split():
                yield uri.rstrip("/"), suite, fields.get("Components", "").split()
