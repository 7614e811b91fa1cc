"""Questions to the person at the terminal."""

from __future__ import annotations

import sys

import typer


def on_terminal() -> bool:
    """Whether a person is there who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


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
