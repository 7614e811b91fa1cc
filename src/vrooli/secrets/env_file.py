"""A local secrets file: KEY=value lines, readable by its owner only."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from vrooli import project
from vrooli.environments import Environment
from vrooli.errors import UsageError
from vrooli.secrets import catalog, key_pairs, usable
from vrooli.secrets.catalog import SERVER_JOBS, SHARED_CONFIG, Values

# By Vite's rule, browsers can read variables with this prefix; the UI receives them too.
PUBLIC_PREFIX = "VITE_"
# A value without quotes ends before a comment: part of a password would be lost.
_WITH_COMMENT = re.compile(
    r"^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*(?![\s'\"#])[^\r\n]*?[ \t]#", re.MULTILINE
)


def default_path(environment: Environment) -> Path:
    """The default path of an environment's secrets file; git ignores it."""
    return project.root() / f".env.{environment.name}"


def write_first(path: Path) -> bool:
    """Write a secrets file with initial values unless it exists; returns whether it was written."""
    lines = ["# The secrets of a Vrooli release; made once, yours to change. Keep it private."]
    for spec in catalog.ALL:
        lines += ["", f"# {spec.title}"]
        lines += [f"{key.in_file}={key.first_value()}" for key in spec.keys]
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise UsageError(
            f"The secrets file {path} can't be written: {error.strerror}.",
            "Name another with --secrets-file.",
        ) from error
    with os.fdopen(handle, "w") as file:
        file.write("\n".join(lines) + "\n")
    return True


def add_key_pairs(path: Path, read_keys: Collection[str]) -> list[str]:
    """Append the pairs of keys that values read and a secrets file lacks.

    Returns:
        The names of the new keys.

    Raises:
        UsageError: The file cannot be read or written, or has one key of such a pair.
    """
    variables = _variables(path)
    present = [key for key in variables if variables[key]]
    if halves := key_pairs.find_halves(read_keys, present):
        raise UsageError(
            f"The secrets file {path} has one key of a pair: {', '.join(halves)}.",
            "Add the other key of the pair, or remove this one: both are generated then.",
        )
    generated = key_pairs.generate_missing(read_keys, present)
    if generated:
        lines = ["", "# key pairs, made once", *(f"{key}='{generated[key]}'" for key in generated)]
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write("\n".join(lines) + "\n")
        except OSError as error:
            raise UsageError(
                f"The secrets file {path} can't be written: {error.strerror}.",
                f"Add {', '.join(generated)} to it, or name another with --secrets-file.",
            ) from error
    return sorted(generated)


def read(path: Path) -> Values:
    """The five secrets in a file.

    Additional keys are passed to server and jobs; those with ``VITE_`` to the UI too.

    Raises:
        UsageError: The file does not exist, others can read it, keys are missing, or a value cannot
            be used.
    """
    variables = _variables(path)
    missing = [
        key.in_file
        for spec in catalog.ALL
        for key in spec.keys
        if key.in_file not in variables or (key.required and not variables[key.in_file])
    ]
    if missing:
        raise UsageError(
            f"The secrets file {path} has no value for: {', '.join(missing)}.",
            "Add the lines KEY=value; a key of a service that you don't use may be empty (KEY=), "
            "passwords may not.",
        )
    problems = [
        f"{key.in_file}: {reason}"
        for spec in catalog.ALL
        for key in spec.keys
        if (reason := usable.problem(key.name, variables[key.in_file]))
    ]
    if problems:
        raise UsageError(
            f"The secrets file {path} has values that cannot be used: {'; '.join(problems)}.",
            "Correct these lines.",
        )
    values = {
        spec.path: {key.name: variables.pop(key.in_file) for key in spec.keys}
        for spec in catalog.ALL
    }
    for name, value in variables.items():
        public = name.startswith(PUBLIC_PREFIX)
        values[(SHARED_CONFIG if public else SERVER_JOBS).path][name] = value
    return values


def _variables(path: Path) -> dict[str, str]:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"The secrets file {path} can't be read: {error.strerror}.",
            "Name one with --secrets-file; the default is made at the first run.",
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The secrets file {path} is not a text file.") from error
    if mode & 0o077:
        raise UsageError(
            f"The secrets file {path} can be read by others (mode {mode:04o}).",
            f"Make it private: chmod 600 {path}",
        )
    if cut := _cut_keys(text):
        raise UsageError(
            f"The secrets file {path} has values without quotes in which a comment begins: "
            f"{', '.join(cut)}.",
            "Put the value in single quotes, or move the comment to a line of its own.",
        )
    return _parse_variables(text)


def _cut_keys(text: str) -> list[str]:
    """The keys of the five secrets whose values would be cut at white space and a #."""
    known = {key.in_file for spec in catalog.ALL for key in spec.keys}
    return [match[1] for match in _WITH_COMMENT.finditer(text) if match[1] in known]


def _parse_variables(text: str) -> dict[str, str]:
    # Values are literal: a $ in a password does not begin a variable.
    variables = dotenv_values(stream=StringIO(text), interpolate=False)
    # A line without "=" has no value; its text may be a secret and must not be in a message.
    return {name: value for name, value in variables.items() if value is not None}
