"""Results of `build` and `artifact verify`."""

from __future__ import annotations

from pydantic import Field

from vrooli.workflows.results.base import Model, Result, StepsResult


class BuildResult(StepsResult):
    """The result of build."""

    version: str = Field(description="the version of the services")
    path: str = Field(description="the directory of the artifact")
    package: str = Field(description="the chart package in the artifact")
    environments: tuple[str, ...] = Field(
        description="the environments whose values the artifact contains"
    )
    commit: str | None = Field(description="the Git commit of the source, or null")
    modified: bool = Field(description="whether the source has uncommitted changes")
    pushed: str | None = Field(
        default=None, description="the reference of the pushed chart with its digest, or null"
    )
    pushed_images: dict[str, str] = Field(
        default={}, description="the digest of each pushed image, by name"
    )


class DifferenceView(Model):
    """A file of an artifact that does not match the record."""

    path: str = Field(description="the path of the file, relative to the artifact")
    kind: str = Field(description="changed, missing or added")


class VerifyResult(Result):
    """The result of `artifact verify`; `ok` is false if a file differs."""

    path: str = Field(description="the directory of the artifact")
    version: str = Field(description="the version of the services")
    chart: str = Field(description="the name and version of the chart")
    commit: str | None = Field(description="the Git commit of the source, or null")
    file_count: int = Field(description="the number of files in the record")
    differences: tuple[DifferenceView, ...] = Field(description="the files that differ")
