"""The artifact's software bill of materials, in the format CycloneDX 1.6 (JSON).

It is reproducible: the time is that of the source, and the serial number follows from the content.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

# Its name in the artifact, and that of the platform's document beside the artifact.
FILE = "sbom.cdx.json"
PLATFORM_FILE = "sbom-platform.cdx.json"
# The distribution of Debian's packages, which scanners need to find their advisories.
DISTRO = {"distro": "debian-12"}


@dataclass(frozen=True)
class Contents:
    """The content of one image.

    Attributes:
        digest: The digest of its manifest or, of an image that is in no artifact, of its
            configuration: ``sha256:…``.
        packages: The type, name and version of each package.
    """

    digest: str
    packages: Iterable[tuple[str, str, str]]


def text(name: str, version: str, time: datetime, images: Mapping[str, Contents]) -> str:
    """The document of an artifact; the same content gives the same bytes.

    Args:
        name: The name of the product.
        version: The version of the artifact.
        time: The time of its source, UTC.
        images: The contents of its images, by the names of the services.
    """
    bom = Bom()
    root = Component(name=name, version=version, type=ComponentType.APPLICATION, bom_ref="root")
    bom.metadata.component, bom.metadata.timestamp = root, time
    depended = []
    for service, contents in sorted(images.items()):
        image = _image(service, contents.digest)
        depended.append(Dependency(image.bom_ref, map(_dependency, _add(bom, contents))))
        bom.components.add(image)
    bom.dependencies.update([Dependency(root.bom_ref, depended), *depended])
    # The library draws a random number; the same document must have the same one.
    bom.serial_number = uuid.UUID(int=0)
    unnumbered = JsonV1Dot6(bom).output_as_string()
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, unnumbered)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _image(service: str, digest: str) -> Component:
    return Component(
        name=service,
        version=digest,
        type=ComponentType.CONTAINER,
        bom_ref=f"image:{service}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest.partition(":")[2])],
    )


def _add(bom: Bom, contents: Contents) -> list[Component]:
    """Add an image's packages, which other images may contain too, and return them."""
    components = []
    for kind, name, version in contents.packages:
        namespace, _, short = name.rpartition("/")
        url = PackageURL(
            type=kind,
            namespace=namespace or ("debian" if kind == "deb" else None),
            name=short,
            version=version,
            qualifiers=DISTRO if kind == "deb" else {},
        )
        components.append(
            Component(
                name=name,
                version=version,
                type=ComponentType.LIBRARY,
                purl=url,
                bom_ref=url.to_string(),
            )
        )
    bom.components.update(components)
    return components


def _dependency(component: Component) -> Dependency:
    return Dependency(component.bom_ref)
