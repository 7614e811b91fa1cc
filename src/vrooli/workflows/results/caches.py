"""Results of the `cache` commands."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from vrooli.workflows.results.base import Model, Result


class CacheKind(StrEnum):
    """The kinds of caches."""

    BUILD = "build-caches"
    PROGRAMS = "programs"
    OLD_PROGRAMS = "old-programs"
    IMAGES = "images"
    ARCHIVES = "image-archives"
    UNPACKED = "unpacked-images"
    OTHER = "other"


class CacheView(Model):
    """A kind of cache."""

    kind: CacheKind = Field(description="the stable name of the kind")
    title: str = Field(description="what it contains, for people")
    size_bytes: int = Field(description="the space that it takes on the disk, in bytes")


class CacheResult(Result):
    """The result of `cache` and `cache clean`."""

    changed: bool = Field(description="whether `clean` was run")
    path: str = Field(description="the directory of the caches")
    caches: tuple[CacheView, ...] = Field(description="the caches by kind")
    total_bytes: int = Field(description="the sum of their sizes, in bytes")
    freed_bytes: int = Field(default=0, description="with `clean`, the space that was freed")
    free_bytes: int = Field(description="the free space of their disk, in bytes")
