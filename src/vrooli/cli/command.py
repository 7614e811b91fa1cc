"""Commands that are built when they are used, with flowing paragraphs and flags without a type."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import CommandInfo


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
    """A group that builds a command when it is used; its flags show no type.

    To build all of them takes a third of the time of a short command.

    Attributes:
        definitions: The commands by name, as they were added.
    """

    definitions: ClassVar[Mapping[str, CommandInfo]] = {}

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Commands(self.definitions, self.commands, self._build)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the commands, in the order in which they were added."""
        return list(self.commands)

    def _build(self, definition: CommandInfo) -> Any:
        return typer.main.get_command_from_info(
            definition, pretty_exceptions_short=True, rich_markup_mode=self.rich_markup_mode
        )

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, with --help."""
        return _without_types(super().get_params(ctx))


class _Commands(MutableMapping[str, Any]):
    """The commands of a group by name, each built when it is read.

    Args:
        definitions: The commands to build.
        built: The groups, which follow them.
        build: Builds a command.
    """

    def __init__(
        self,
        definitions: Mapping[str, CommandInfo],
        built: Mapping[str, Any],
        build: Callable[[CommandInfo], Any],
    ) -> None:
        self._commands: dict[str, Any] = {**definitions, **built}
        self._build = build

    def __getitem__(self, name: str) -> Any:
        command = self._commands[name]
        if isinstance(command, CommandInfo):
            command = self._commands[name] = self._build(command)
        return command

    def __setitem__(self, name: str, command: Any) -> None:
        self._commands[name] = command

    def __delitem__(self, name: str) -> None:
        del self._commands[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)


class App(typer.Typer):
    """A group of such commands."""

    def __init__(self, **settings: Any) -> None:
        self._definitions: dict[str, CommandInfo] = {}
        group = type("Group", (Group,), {"definitions": self._definitions})
        super().__init__(cls=group, **settings)

    def command(
        self, name: str | None = None, *, cls: type[TyperCommand] | None = Command, **settings: Any
    ) -> Callable[[Any], Any]:
        """Add a command."""
        register = super().command(name, cls=cls, **settings)

        def add(function: Any) -> Any:
            register(function)
            definition = self.registered_commands.pop()  # Typer would build it for each call
            default = typer.main.get_command_name(function.__name__)
            self._definitions[definition.name or default] = definition
            return function

        return add


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
