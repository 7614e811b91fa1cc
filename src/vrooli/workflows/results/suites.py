"""The result of `test`."""

from __future__ import annotations

from pydantic import Field

from vrooli.workflows.results.base import Model, Result


class CaseView(Model):
    """A test of the release, or a program of a suite."""

    name: str = Field(description="the name of the test")
    passed: bool = Field(description="whether the test passed")
    checked: bool = Field(
        default=True,
        description="whether it could be checked; false where a service is unreachable",
    )
    elapsed_s: float = Field(description="the duration, in seconds")
    log: str = Field(
        default="",
        description="the output of a failed test, the reason why it could not be checked, or empty",
    )


class SuitesResult(Result):
    """The result of test."""

    suites: tuple[str, ...] = Field(description="the suites that ran")
    cases: tuple[CaseView, ...] = Field(
        description="the tests of the release, or the programs of the suites"
    )
