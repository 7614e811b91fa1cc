"""The values of an artifact: those of the environments, and the files that a build adds to them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vrooli.artifact import tags
from vrooli.chart import values
from vrooli.environments import Environment
from vrooli.errors import UsageError
from vrooli.redaction import MASK, Redactor

# The name of an added file in an artifact. Its own name and folder are not part of the artifact:
# they may be private, two files may share a name, and the same content must give the same bytes.
_NAME = "additional-{number}.yaml"
# The keys that select an image.
_IMAGE_KEYS = ("repository", "tag")
# A part of a template; it may name a secret, but does not contain one.
_ACTION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
# What stands for it; the redactor leaves it unless it is only a part of a secret.
_REFERENCE = "$REFERENCE"


def environment_text(environment: Environment) -> bytes:
    """The text of an environment's values file.

    Raises:
        UsageError: There is no such file, or it is not valid.
    """
    path = environment.values_file
    if not path.exists():
        raise UsageError(
            f"The environment {environment.name!r} has no values: {path} is missing.",
            "Write that file, or name the environments that have one with --environment.",
        )
    values.read(path)  # report invalid YAML with the file's name
    return path.read_bytes()


def check(path: Path) -> None:
    """Refuse a file that cannot be added, before anything starts.

    Raises:
        UsageError: It cannot be read, or is not valid.
    """
    if path.exists() and not path.is_file():  # a pipe can be read only once
        raise UsageError(f"The values file {path} is not a regular file.", "Write it to a file.")
    values.read(path)


def pack(files: Sequence[Path], folder: Path) -> tuple[Path, ...]:
    """Copy files that are added to an artifact into its folder of values; returns the copies.

    Raises:
        UsageError: A file contains secrets.
    """
    copies = []
    for number, path in enumerate(files, 1):
        copy = folder / _NAME.format(number=number)
        copy.write_bytes(path.read_bytes())
        _demand_no_secrets(values.read(copy), path)
        copies.append(copy)
    return tuple(copies)


def with_own_image(added: Mapping[str, Any]) -> set[str]:
    """The services whose image the added values name themselves: it is not the one built here."""
    services = set()
    for service, (*parents, _) in tags.TAGS.items():
        node: Any = added
        for key in parents:
            node = (node.get(key) if isinstance(node, Mapping) else None) or {}
        if isinstance(node, Mapping) and any(key in node for key in _IMAGE_KEYS):
            services.add(service)
    return services


def _demand_no_secrets(content: Mapping[str, Any], path: Path) -> None:
    redactor, plain = Redactor(), _without_actions(content)
    if paths := list(_differences(plain, redactor.tree(plain), ())):
        keys = ", ".join(redactor.text(".".join(keys)) for keys in paths)
        raise UsageError(
            f"These values of {path} look like secrets: {keys}.",
            "An artifact must not contain secrets. Store them in Vault, or name a key of an "
            "existing Secret in pod.variables.",
        )


def _without_actions(value: Any) -> Any:
    if isinstance(value, str):
        return _ACTION.sub(_reference, value)
    if isinstance(value, Mapping):
        return {key: _without_actions(item) for key, item in value.items()}
    return [_without_actions(item) for item in value] if isinstance(value, list) else value


def _reference(action: re.Match[str]) -> str:
    text, start = action.string, action.start()
    if text.endswith(": ", 0, start):  # a value in JSON, which ends at a comma only with quotes
        return f'"{_REFERENCE}"'
    return MASK if text.endswith(":", 0, start) else _REFERENCE  # a password in an address


def _differences(value: Any, masked: Any, keys: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The keys of the values that were masked."""
    if value == masked:
        return
    if isinstance(value, Mapping) and isinstance(masked, Mapping) and value.keys() == masked.keys():
        for key, item in value.items():
            yield from _differences(item, masked[key], (*keys, str(key)))
    elif isinstance(value, list) and isinstance(masked, list) and len(value) == len(masked):
        for index, pair in enumerate(zip(value, masked, strict=True)):
            yield from _differences(*pair, (*keys, str(index)))
    else:
        yield keys
