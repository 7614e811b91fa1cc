"""The user's own kubeconfig, changed only when asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from vrooli.errors import UsageError

# The lists of a kubeconfig whose items have a name and one more key of their own.
PARTS = ("clusters", "users", "contexts")


def users_file() -> Path:
    """The file that kubectl would write to: the first of KUBECONFIG, else ~/.kube/config."""
    first = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(first) if first else Path.home() / ".kube" / "config"


def merge(source: Path, into: Path, name: str) -> bool:
    """Put a one-cluster kubeconfig's context into another file, all of it under one name.

    What else is there stays, the current context included.

    Returns:
        Whether the file changed.

    Raises:
        UsageError: One of the files is no kubeconfig.
    """
    ours = _read(source)
    before = _read(into) if into.exists() else {}
    theirs = {"apiVersion": "v1", "kind": "Config", **before}
    for part in PARTS:
        kept = [item for item in theirs.get(part) or [] if item["name"] != name]
        theirs[part] = [*kept, _renamed(ours[part][0], name)]
    theirs.setdefault("current-context", name)
    if theirs == before:
        return False
    _write(into, theirs)
    return True


def _renamed(item: dict[str, Any], name: str) -> dict[str, Any]:
    if "context" in item:
        return {"name": name, "context": {**item["context"], "cluster": name, "user": name}}
    return {**item, "name": name}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text()) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no kubeconfig: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} is no kubeconfig.")
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    """Replace the file whole, as 0600: it holds keys."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = path.resolve()
    part = target.with_name(f".{target.name}.part")
    part.touch(mode=0o600)
    part.chmod(0o600)
    part.write_text(yaml.safe_dump(content, sort_keys=False))
    part.replace(target)
