"""Confirmation prompts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from vrooli import inert

if TYPE_CHECKING:
    from vrooli.workflows.safeguards.consent import Consent

Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        "-y",
        help="Skip confirmation prompts. Without a terminal, an action that requires confirmation "
        "fails unless --yes is given.",
    ),
]


def on_terminal() -> bool:
    """Return whether a prompt can be shown and answered."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def consent(*, yes: bool) -> Consent:
    """Return how the command confirms actions: by ``--yes``, by a prompt, or not at all."""
    from vrooli.workflows.safeguards.consent import Consent

    return Consent(yes, confirm if on_terminal() else None)


def read_secret(question: str) -> str:
    """Read a secret: from a hidden prompt on a terminal, otherwise the first line of the input.

    It is never an argument, which every user of the machine could read.
    """
    if not on_terminal():
        return sys.stdin.readline().rstrip("\r\n")
    import getpass

    return getpass.getpass(inert.lines(f"{question}: "), stream=sys.stderr)


def confirm(question: str) -> bool:
    """Ask for confirmation. Ctrl-C means no; the signal handler of the run would ignore it."""
    import signal

    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return typer.confirm(inert.lines(question), err=True)
    except typer.Abort:
        return False
    finally:
        signal.signal(signal.SIGINT, ours)
