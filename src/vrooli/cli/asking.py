"""Questions to the person at the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vrooli.workflows.consent import Consent

Yes = Annotated[
    bool,
    typer.Option(
        "--yes",
        "-y",
        help="Don't ask. Without it, and without a terminal to ask on, what needs a yes is "
        "refused.",
    ),
]


def on_terminal() -> bool:
    """Whether a person is there who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def consent(*, yes: bool) -> Consent:
    """What ``--yes`` and the terminal allow."""
    from vrooli.workflows.consent import Consent

    return Consent(yes, confirm if on_terminal() else None)


def confirm(question: str) -> bool:
    """Ask the person; Ctrl-C is a no, which the run's own handler would keep from the prompt."""
    import signal

    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        return False
    finally:
        signal.signal(signal.SIGINT, ours)
