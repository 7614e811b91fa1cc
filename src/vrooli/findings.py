"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that stands in a deploy's way.

    Attributes:
        check: The check that found it: namespace, kinds, rights, storage, ingress, images, vault,
            dry-run.
        what: What was looked at, such as StorageClass/fast.
        found: What was found, in words.
        remedy: What to do about it; may be empty.
    """

    check: str
    what: str
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.found}" + (f" {self.remedy}" if self.remedy else "")
