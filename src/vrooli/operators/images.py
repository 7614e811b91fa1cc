"""How local images get into an operator's values."""

from __future__ import annotations

from collections.abc import Iterable

from vrooli.operators.interface import Site

ANNOTATION = "vrooli.com/image-inputs"


def split(reference: str) -> tuple[str, str]:
    """An image reference's repository and tag."""
    repository, _, tag = reference.rpartition(":")
    return repository, tag


def pod_notes(site: Site, references: Iterable[str]) -> dict[str, str]:
    """What to note on the pods, so that an image that was built anew restarts them.

    Local images keep their tag: without this, Kubernetes would see no change.
    """
    known = [site.image_hashes[name] for name in references if name in site.image_hashes]
    return {ANNOTATION: "-".join(known)} if known else {}
