"""Results of `build` and `artifact verify`."""

from __future__ import annotations

from pydantic import Field

from vrooli.workflows.results.base import Model, Result, StepsResult


class BuildResult(StepsResult):
    """The end of build: an artifact, and where it is."""

    version: str = Field(description="the services' version")
    path: str = Field(description="the artifact's folder")
    package: str = Field(description="the chart's package in it")
    environments: tuple[str, ...] = Field(description="the environments whose values are in it")
    revision: str | None = Field(description="the Git commit it was made from, or null")
    modified: bool = Field(description="whether files were changed since that commit")
    pushed: str | None = Field(default=None, description="the pushed chart with its digest, if any")
    pushed_images: dict[str, str] = Field(
        default_factory=dict, description="the digest of each pushed image, by its name"
    )


class DifferenceView(Model):
    """A file of an artifact that isn't as its record says."""

    path: str = Field(description="the file, below the artifact")
    kind: str = Field(description="changed, missing or added")


class VerifyResult(Result):
    """The end of `artifact verify`; `ok` is false when any file differs."""

    path: str = Field(description="the artifact's folder")
    version: str = Field(description="the services' version")
    chart: str = Field(description="the chart and its version")
    revision: str | None = Field(description="the Git commit it was made from, or null")
    files: int = Field(description="how many files its record names")
    differences: tuple[DifferenceView, ...] = Field(description="what differs; none when whole")
