"""The result of `test`."""

from __future__ import annotations

from pydantic import Field

from vrooli.workflows.results.base import Model, Result


class CaseView(Model):
    """One test, or one program of a suite."""

    name: str = Field(description="the test's name")
    passed: bool = Field(description="whether it passed")
    elapsed_s: float = Field(description="how long it ran, seconds")
    log: str = Field(default="", description="what a failed test printed")


class SuitesResult(Result):
    """The end of test."""

    suites: tuple[str, ...] = Field(description="the suites that ran")
    cases: tuple[CaseView, ...] = Field(description="the tests of the release, or the programs")
