"""Examples at the end of each command's help."""

from __future__ import annotations

HEADING = "Examples:"


def epilog(*examples: tuple[str, str]) -> str:
    """Format examples for the help of a command.

    Args:
        examples: For each example, a description and the command.
    """
    return "\n\n".join((HEADING, *(f"# {text}\n$ {command}" for text, command in examples)))


def to_script(text: str) -> str:
    """Return the examples of an epilog as lines of a shell script."""
    lines = text.removeprefix(HEADING).strip().splitlines()
    return "\n".join(line.removeprefix("$ ") for line in lines)
