"""The database resource that belongs to a release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from vrooli import shell
from vrooli.errors import PrerequisiteError
from vrooli.kube import Kube, Manifest
from vrooli.kube.objects import annotations_of, name, text
from vrooli.release.model import Release

# Helm's annotation of each object of a release.
RELEASE = "meta.helm.sh/release-name"


async def find(kube: Kube, release: Release, api_version: str, kind: str, title: str) -> Manifest:
    """The release's only object of a kind of database.

    Raises:
        PrerequisiteError: The release has none, or several.
        ApiError: Objects of this kind may not be read.
    """
    owned = await list_owned(kube, release.namespace, release.name, api_version, kind)
    if len(owned) == 1:
        return owned[0]
    if owned:
        listed = ", ".join(sorted(map(name, owned)))
        raise PrerequisiteError(
            f"Release {release} has several {kind} objects: {listed}.",
            "This command supports one of them for each release.",
        )
    raise PrerequisiteError(
        f"Release {release} has no {kind}: it does not exist, or its {title} is outside the "
        "cluster.",
        shell.checked(
            f"To list the databases of the cluster: `kubectl get "
            f"{shell.segment(kind.lower())} --all-namespaces`."
        ),
    )


async def list_owned(
    kube: Kube, namespace: str, release: str, api_version: str, kind: str
) -> list[Manifest]:
    """The objects of a kind of database that a release has; none if the cluster lacks the kind.

    Raises:
        ApiError: Objects of this kind may not be read.
    """
    if not await kube.serves(api_version, kind):
        return []
    bodies = await kube.list(api_version, kind, namespace)
    return [body for body in bodies if text(annotations_of(body), RELEASE) == release]


@dataclass(frozen=True)
class Database:
    """The resource of a release's database, from which an operator makes its pods.

    Attributes:
        kube: The cluster.
        body: The resource.
    """

    API_VERSION: ClassVar[str]
    KIND: ClassVar[str]
    TITLE: ClassVar[str]

    kube: Kube
    body: Manifest

    @classmethod
    async def of(cls, kube: Kube, release: Release) -> Self:
        """The database of a release.

        Raises:
            PrerequisiteError: The release has none, or several.
        """
        return cls(kube, await find(kube, release, cls.API_VERSION, cls.KIND, cls.TITLE))

    @property
    def namespace(self) -> str:
        """The namespace of the resource."""
        return str(self.body["metadata"]["namespace"])

    @property
    def name(self) -> str:
        """The name of the resource."""
        return name(self.body)
