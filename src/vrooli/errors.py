"""The errors that the product raises on purpose: what happened, what to do next, the exit code.

Errors never end the process: ``vrooli.cli.run`` prints them and exits with their code.
"""

from __future__ import annotations


class VrooliError(Exception):
    """Something was found wrong.

    Attributes:
        message: What happened, and where.
        advice: What the person can do about it; may be empty.
        exit_code: The process's exit code when this error ends it.
    """

    exit_code: int = 1

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class UsageError(VrooliError):
    """The command was used wrongly: an unknown name, a bad file, a wrong option."""

    exit_code = 2


class PrerequisiteError(VrooliError):
    """The machine or the cluster lacks something that the command needs."""

    exit_code = 3


class InterruptError(VrooliError):
    """The person or the machine asked this run to end."""

    exit_code = 130


# How a task is cancelled that a person interrupted at the terminal, and who can so be asked.
BY_PERSON = "SIGINT"


class CommandError(VrooliError):
    """A program that we started failed.

    Attributes:
        argv: What was started; never holds secrets, those go by standard input.
        status: Its exit status, or None when it was stopped at its time limit.
        output: The end of what it printed, standard error included.
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
    """Something did not become ready within its limit; the message says what was seen last."""
