"""Local images in an operator's values."""

from __future__ import annotations

from collections.abc import Iterable

from vrooli.operators.model import Site

ANNOTATION = "vrooli.com/image-inputs"


def split(reference: str) -> tuple[str, str]:
    """An image reference's repository and tag."""
    repository, _, tag = reference.rpartition(":")
    return repository, tag


def pod_annotations(site: Site, references: Iterable[str]) -> dict[str, str]:
    """Annotations for the pods, so that an image that was rebuilt restarts them.

    Local images keep their tag: without this, Kubernetes sees no change.
    """
    hashes = [site.image_hashes[name] for name in references if name in site.image_hashes]
    return {ANNOTATION: "-".join(hashes)} if hashes else {}
