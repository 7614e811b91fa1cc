"""Commands whose help has flowing paragraphs, and flags without a type."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


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
        return _without_types(super().get_params(ctx))


class Group(TyperGroup):
    """A group whose flags show no type."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, with --help."""
        return _without_types(super().get_params(ctx))


class App(typer.Typer):
    """A group of such commands."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(cls=Group, **settings)

    def command(
        self, name: str | None = None, *, cls: type[TyperCommand] | None = Command, **settings: Any
    ) -> Callable[[Any], Any]:
        """Add a command."""
        return super().command(name, cls=cls, **settings)


def _without_types(params: list[Any]) -> list[Any]:
    """The parameters without the type of arguments and flags, and without ranges beside a name.

    In a terminal of 80 columns, wide types leave too little space for the texts.
    """
    for param in params:
        if param.param_type_name == "argument" or param.is_bool_flag:
            param.display_type_rich = _nothing
        if param.metavar:
            param._get_number_range_help_str = _nothing
    return params


def _nothing(*words: Any, **settings: Any) -> None:
    """What is shown in place of a type."""


def _flowing(text: str) -> str:
    """Join the lines of each paragraph."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(item.split()) for item in paragraphs)
