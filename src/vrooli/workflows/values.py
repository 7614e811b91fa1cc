"""Convert values files of upstream's chart."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vrooli import inert
from vrooli.chart import values, yaml_text
from vrooli.chart.upstream import conversion, keys, validation
from vrooli.chart.upstream.conversion import Entry, Outcome
from vrooli.errors import UsageError
from vrooli.events import Listener
from vrooli.workflows.results.values import ConvertResult, KeyView


@dataclass(frozen=True)
class ConvertOptions:
    """What `values convert` reads and writes.

    Attributes:
        files: Values files of upstream's chart; a later one overrides the earlier ones.
        target: The file for the converted values; None to only return them.
        force: Whether to overwrite the file.
    """

    files: tuple[Path, ...]
    target: Path | None = None
    force: bool = False


async def convert(options: ConvertOptions, listener: Listener) -> ConvertResult:
    """Convert values files of upstream's chart to values of this chart.

    Args:
        options: What is read and written.
        listener: Receives no events.

    Raises:
        UsageError: A file cannot be read or written.
    """
    del listener
    if options.target:
        _demand_place(options.target, force=options.force)
    return await asyncio.to_thread(_convert, options)


def _convert(options: ConvertOptions) -> ConvertResult:
    merged: values.Values = {}
    files, repeated = [], list[Entry]()
    for path in options.files:
        read, duplicates = values.read_with_duplicates(path)
        files.append((str(path), read))
        merged = values.merge(merged, read)
        repeated += [_repeated(path, problem.duplicate) for problem in duplicates]
    output, entries = conversion.convert(merged)
    entries, required = validation.validated(output, entries)
    text = _text(options.files, output.values())
    if options.target:
        options.target.write_text(text, encoding="utf-8")
    return ConvertResult(
        ok=not required,
        files=tuple(name for name, _ in files),
        path=str(options.target) if options.target else None,
        values=text,
        keys=tuple(map(_view, [*entries, *conversion.overridden(files), *repeated])),
        required=tuple(required),
    )


def _repeated(path: Path, key: Sequence[str]) -> Entry:
    reason = f"{path} contains this key twice; the last one applies, as in Helm."
    return Entry(keys.format_(tuple(key)), Outcome.OVERRIDDEN, (), reason)


def _view(entry: Entry) -> KeyView:
    return KeyView(
        key=entry.source, outcome=entry.outcome, targets=entry.targets, reason=entry.reason
    )


def _text(files: Sequence[Path], converted: values.Values) -> str:
    names = ", ".join(inert.line(path.name) for path in files)
    return f"# Converted by `vrooli values convert` from {names}.\n{yaml_text.dump(converted)}"


def _demand_place(path: Path, *, force: bool) -> None:
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise UsageError(
            f"The values cannot be written to {path}.", "Specify a file in a writable folder."
        )
    if path.exists() and not force:
        raise UsageError(f"{path} already exists.", "Specify a different file, or use --force.")
