"""Results of `shell`, `psql`, `redis-cli` and `open`."""

from __future__ import annotations

from pydantic import Field

from vrooli.workflows.results.base import Result


class OpenResult(Result):
    """The result of `open`."""

    url: str = Field(description="the URL of the page")
    opened: bool = Field(description="whether a browser was asked to open it")
    notes: tuple[str, ...] = Field(
        default=(), description="how to log in, and what this machine needs to reach the URL"
    )


class ProgramResult(Result):
    """The result of `shell`, `psql` and `redis-cli`."""

    namespace: str = Field(description="the namespace of the pod")
    pod: str = Field(description="the pod in which the program ran")
    container: str = Field(description="the container in which the program ran")
    exit_status: int = Field(
        description="the exit status of the program, which is also the exit code of the command"
    )
    stdout: str | None = Field(
        default=None, description="the standard output; null if it was written while it arrived"
    )
    stderr: str | None = Field(
        default=None, description="the standard error; null if it was written while it arrived"
    )

    @property
    def exit_code(self) -> int:
        """The exit code of the command: that of the program."""
        return self.exit_status
