"""Commands whose help has flowing paragraphs, and flags without a type."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand


class Command(TyperCommand):
    """A command whose docstring and flags are shown as people read them.

    Typer keeps the line breaks of a docstring after its first paragraph, and shows a flag as an
    option with the type bool.
    """

    def __init__(self, name: str | None, **settings: Any) -> None:
        super().__init__(name, **settings)
        self.help = None if self.help is None else _flowing(self.help)

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, with --help; arguments and flags show no type."""
        params: list[Any] = super().get_params(ctx)
        for param in params:
            if param.param_type_name == "argument" or param.is_bool_flag:
                param.display_type_rich = _no_type
        return params


class App(typer.Typer):
    """A group of such commands."""

    def command(
        self, name: str | None = None, *, cls: type[TyperCommand] | None = Command, **settings: Any
    ) -> Callable[[Any], Any]:
        """Add a command."""
        return super().command(name, cls=cls, **settings)


def _no_type(ctx: Any) -> None:
    """The type that is shown of a parameter."""


def _flowing(text: str) -> str:
    """Join the lines of each paragraph."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(item.split()) for item in paragraphs)
