"""Merges a cluster's kubeconfig into another one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from vrooli.errors import UsageError
from vrooli.files import write_atomically

LISTS = ("clusters", "users", "contexts")


def merge(source: Path, target: Path) -> str:
    """Add the source's cluster to the target; its other content and its comments are kept.

    Returns:
        The name of the context; it becomes the current one only if there was none.

    Raises:
        UsageError: The target is not a kubeconfig.
    """
    yaml = YAML()
    # YAML 1.2 needs no quotes around "y", but kubectl reads it as a boolean without them.
    yaml.preserve_quotes = True
    added: dict[str, Any] = yaml.load(source.read_text())
    merged = _read(yaml, target)
    for kind in LISTS:
        entries = merged.get(kind) or []
        for entry in added[kind]:
            _put(entries, entry)
        merged[kind] = entries
    context = str(added["current-context"])
    merged["current-context"] = merged.get("current-context") or context
    text = io.StringIO()
    yaml.dump(merged, text)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(target, text.getvalue(), mode=0o600)
    return context


def _read(yaml: YAML, path: Path) -> dict[str, Any]:
    if not path.exists():
        return {"apiVersion": "v1", "kind": "Config"}
    try:
        content = yaml.load(path.read_text()) or {"apiVersion": "v1", "kind": "Config"}
    except YAMLError as error:
        raise UsageError(
            f"{path} is not valid YAML: {error}", "Repair it, or use another file."
        ) from error
    if not isinstance(content, dict) or content.get("kind") != "Config":
        raise UsageError(f"{path} is not a kubeconfig.", "Use another file.")
    return content


def _put(entries: list[dict[str, Any]], entry: dict[str, Any]) -> None:
    for position, existing in enumerate(entries):
        if existing["name"] == entry["name"]:
            entries[position] = entry
            return
    entries.append(entry)
