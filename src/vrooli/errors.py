"""The errors that the product raises on purpose: what happened, what to do next, the exit code.

Errors never end the process: ``vrooli.cli.run`` prints them and exits with their code.
"""

from __future__ import annotations


class VrooliError(Exception):
    """An error with a message and advice; also raised when a problem was found.

    Attributes:
        message: What happened, and where.
        advice: What to do next; may be empty.
        exit_code: The exit code of the process if this error ends it.
        is_outage: Whether the connection to the API server is the problem.
    """

    exit_code: int = 1
    is_outage: bool = False

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class UsageError(VrooliError):
    """Invalid usage: an unknown name, an invalid file, a wrong option."""

    exit_code = 2


class PrerequisiteError(VrooliError):
    """A prerequisite of the command is missing on the machine or in the cluster."""

    exit_code = 3


class InterruptError(VrooliError):
    """This run was interrupted by the user or by a signal."""

    exit_code = 130


# The cancel message of a task that was interrupted at the terminal, where prompts are possible.
BY_PERSON = "SIGINT"


class CommandError(VrooliError):
    """A program failed.

    Attributes:
        argv: The command line; contains no secrets, which are passed by standard input.
        status: Its exit status, or None if it timed out.
        output: Its output, standard error included.
    """

    def __init__(
        self, argv: tuple[str, ...], status: int | None, output: str, advice: str = ""
    ) -> None:
        ending = "did not end in time" if status is None else f"ended with status {status}"
        tail = "\n".join(output.strip().splitlines()[-15:])
        super().__init__(f"`{' '.join(argv)}` {ending}\n{tail}".rstrip(), advice)
        self.argv = argv
        self.status = status
        self.output = output


class WaitTimeoutError(VrooliError):
    """Something did not become ready in time; the message contains the last observed state."""
