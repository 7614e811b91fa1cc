"""The catalog of images and their inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vrooli import project
from vrooli.errors import UsageError
from vrooli.programs import versions

# Reserved names that no registry uses.
PREFIX = "localhost/vrooli"
# The number of digits of the inputs' hash in a reference: enough to avoid collisions.
HASH_DIGITS = 12


@dataclass(frozen=True)
class Image:
    """One image of this product.

    Attributes:
        name: Its name in the workflows.
        tag: Its tag; name and tag form the reference.
        folder: The folder of its Containerfile, relative to the repository.
        build_s: The measured duration of its build on two cores, seconds: the first estimate.
        context: The build context, relative to the repository; by default the folder.
        sources: The parts of the context that it uses; by default all.
        base: The value of its Containerfile's argument BASE, or None for scratch.
        after: Images whose layers it shares; it is built after them.
        programs: Third-party programs that its Containerfile copies from the context `programs`.
        step: Whether it is only an intermediate image for another image.
    """

    name: str
    tag: str
    folder: str
    build_s: float
    context: str = ""
    sources: tuple[str, ...] = ()
    base: str | None = "base"
    after: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    step: bool = False

    @property
    def reference(self) -> str:
        """Its reference independent of its inputs; in a cluster, the image that was loaded last."""
        return f"{PREFIX}/{self.name}:{self.tag}"

    def pinned(self, inputs_hash: str) -> str:
        """The reference of the image with these inputs; it never names another image.

        Two checkouts may build the same image from different sources at the same time, and a
        rollback may need an older image.
        """
        return f"{self.reference}-{inputs_hash[:HASH_DIGITS]}"

    @property
    def containerfile(self) -> Path:
        """Its Containerfile."""
        return project.root() / self.folder / "Containerfile"

    @property
    def context_dir(self) -> Path:
        """The build context of its Containerfile."""
        return project.root() / (self.context or self.folder)


def _program_image(name: str, tag: str, program: str = "") -> Image:
    """An image that contains one static program only."""
    return Image(name, tag, f"images/{name}", build_s=2, base=None, programs=(program or name,))


def _packages_image(name: str, build_s: float, requirements: str, after: str = "") -> Image:
    """An image with Python and packages, on which services stand."""
    return Image(
        name,
        "dev",
        f"images/{name}",
        build_s,
        context="services",
        sources=(requirements,),
        after=(after,) if after else (),
        step=True,
    )


def _python_service(name: str, base: str, *sources: str) -> Image:
    """A service in Python; its sources are added to an image with its packages."""
    return Image(
        name,
        "dev",
        f"services/{name}",
        build_s=3,
        context="services",
        sources=(name, *sources),
        base=base,
    )


IMAGES = {
    find_image.name: find_image
    for find_image in (
        Image("base", "12", "images/base", build_s=30, base=None),
        Image("postgresql", "15", "images/postgresql", build_s=90, step=True),
        Image(
            "postgres",
            "15",
            "images/postgres",
            build_s=3,
            base="postgresql",
            programs=("pgbackrest-job",),
        ),
        Image("redis", "7", "images/redis", build_s=8),
        Image("redis-exporter", "1.45", "images/redis-exporter", build_s=8),
        Image("openbao", "2.7.2", "images/openbao", build_s=6, programs=("bao",)),
        Image("adminer", "dev", "images/adminer", build_s=12),
        _program_image("pause", "1"),
        _program_image("coredns", versions.COREDNS),
        _program_image("traefik", versions.TRAEFIK),
        _program_image("metrics-server", "0.9.0"),
        _program_image("local-path-provisioner", versions.LOCAL_PATH_PROVISIONER),
        _program_image("postgres-operator", "5.4"),
        _program_image("redis-operator", versions.REDIS_OPERATOR, "redisoperator"),
        _program_image("vault-secrets-operator", versions.VAULT_SECRETS_OPERATOR),
        _program_image("metrics-proxy", "1"),
        _packages_image("python-packages", 40, "shared/requirements.txt"),
        _packages_image(
            "detector-packages", 60, "nsfw-detector/requirements.txt", after="python-packages"
        ),
        _python_service("server", "python-packages", "shared/vrooli_shared"),
        _python_service("jobs", "python-packages", "shared/vrooli_shared"),
        _python_service("rotator", "python-packages", "shared/vrooli_shared"),
        _python_service("nsfw-detector", "detector-packages"),
        Image(
            "ui",
            "dev",
            "services/ui",
            build_s=60,
            context="services",
            sources=("ui",),
            after=("python-packages",),
        ),
        Image(
            "ui-development",
            "dev",
            "images/ui-development",
            build_s=40,
            context="services",
            sources=("ui/package.json", "ui/package-lock.json", "ui/node-requirements.txt"),
            after=("ui",),
        ),
    )
}

# The images of the embedded cluster's add-ons.
ADDONS = ("base", "pause", "coredns", "traefik", "metrics-server", "local-path-provisioner")
OPERATORS = ("postgres-operator", "redis-operator", "vault-secrets-operator", "metrics-proxy")
DATA = ("postgres", "redis", "openbao")
# Images that only the production values enable.
MONITORING = ("redis-exporter",)
SERVICES = ("server", "jobs", "rotator", "ui", "nsfw-detector", "adminer")

# What a new cluster of a release starts with: images that change rarely, and those on which the
# services stand, so that only the layers with the sources have to be loaded.
PRELOADED = (*DATA, "adminer", "python-packages", "detector-packages")

# Images that only pods with edited files run.
DEVELOPMENT = ("ui-development",)

# Images that can be built before the Go programs exist, and those that cannot. A cluster needs all
# of them; the other services, which change with each edited line, are built beside its start.
WITHOUT_PROGRAMS = (
    *("base", "postgresql", "redis", "openbao", "python-packages", "detector-packages"),
    *("adminer", *MONITORING),
)
WITH_PROGRAMS = (*ADDONS, *OPERATORS, "postgres")


def find_image(name: str) -> Image:
    """The image of that name.

    Raises:
        UsageError: There is no such image.
    """
    match = IMAGES.get(name)
    if match is None:
        raise UsageError(f"There is no image {name!r}.", f"Choose from: {', '.join(IMAGES)}.")
    return match


def with_bases(names: Iterable[str]) -> list[Image]:
    """The named images and all their bases, bases first.

    Raises:
        UsageError: An unknown name.
    """
    images: dict[str, Image] = {}

    def add(name: str) -> None:
        image = find_image(name)
        if image.base is not None:
            add(image.base)
        images.setdefault(name, image)

    for name in names:
        add(name)
    return list(images.values())


def programs_of(names: Iterable[str]) -> set[str]:
    """The third-party programs that the named images and their bases contain."""
    return {program for image in with_bases(names) for program in image.programs}
