"""Commands that are built when they are used, with flowing paragraphs and flags without a type."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.models import CommandInfo, TyperInfo


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
        return _for(ctx, super().get_params(ctx))


@dataclass(frozen=True)
class _Deferred:
    """A command or a group in a module that is imported when it is used, see App.defer."""

    module: str
    attribute: str
    examples: str
    cls: str

    def load(self, name: str) -> CommandInfo | TyperInfo:
        """Import the module, and return the definition."""
        module = importlib.import_module(self.module)
        item = getattr(module, self.attribute)
        if isinstance(item, typer.Typer):
            return TyperInfo(item, name=name)
        cls = getattr(module, self.cls) if self.cls else Command
        return CommandInfo(name, cls=cls, callback=item, epilog=getattr(module, self.examples))


_Definition = CommandInfo | _Deferred


class Group(TyperGroup):
    """A group that builds a command when it is used; its flags show no type.

    To import and build all of them takes longer than to import typer.

    Attributes:
        definitions: The commands by name, as they were added.
    """

    definitions: ClassVar[Mapping[str, _Definition]] = {}

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Commands(self.definitions, self._build)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the commands, in the order in which they were added."""
        return list(self.commands)

    def _build(self, name: str, definition: _Definition) -> Any:
        info = definition.load(name) if isinstance(definition, _Deferred) else definition
        shared: Any = {
            "pretty_exceptions_short": True,
            "rich_markup_mode": self.rich_markup_mode,
        }
        if isinstance(info, TyperInfo):
            return typer.main.get_group_from_info(
                info, suggest_commands=self.suggest_commands, **shared
            )
        return typer.main.get_command_from_info(info, **shared)

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, with --help."""
        return _for(ctx, super().get_params(ctx))


class _Commands(MutableMapping[str, Any]):
    """The commands of a group by name, each built when it is read.

    Args:
        definitions: The commands to build.
        build: Builds a command.
    """

    def __init__(
        self,
        definitions: Mapping[str, _Definition],
        build: Callable[[str, _Definition], Any],
    ) -> None:
        self._commands: dict[str, Any] = dict(definitions)
        self._build = build

    def __getitem__(self, name: str) -> Any:
        command = self._commands[name]
        if isinstance(command, _Definition):
            command = self._commands[name] = self._build(name, command)
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
        self._definitions: dict[str, _Definition] = {}
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

    def defer(
        self,
        name: str,
        module: str,
        attribute: str = "command",
        examples: str = "EXAMPLES",
        cls: str = "",
    ) -> None:
        """Add a command or a group that is imported when it is used.

        Args:
            name: Its name.
            module: Its module.
            attribute: The function of the command, or the App of the group, in the module.
            examples: The examples of the command in the module.
            cls: The class of the command in the module. Default: Command.
        """
        self._definitions[name] = _Deferred(module, attribute, examples, cls)


def _for(ctx: Any, params: list[Any]) -> list[Any]:
    """The parameters for a use of a command.

    They are without the type of arguments and flags, and without ranges beside a name: in a
    terminal of 80 columns, wide types leave too little space for the texts. Typer converts values
    by pydantic, whose import takes as long as that of typer: not where nobody reads them.
    """
    for param in params:
        if ctx.resilient_parsing:
            param.process_value = _unconverted
        if not param.expose_value and param.default is None:  # --install-completion
            param.default = False
        if param.param_type_name == "argument" or param.is_bool_flag:
            param.display_type_rich = _nothing
        if param.metavar:
            param._get_number_range_help_str = _nothing
    return params


def _unconverted(ctx: Any, value: Any) -> Any:
    """A value for the completions of a shell, as it was given."""
    return value


def _nothing(*words: Any, **settings: Any) -> None:
    """What is shown in place of a type."""


def _flowing(text: str) -> str:
    """Join the lines of each paragraph."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(item.split()) for item in paragraphs)
