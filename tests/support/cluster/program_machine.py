"""A machine that has kind and minikube: stand-ins that refuse calls that those do not know."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.fakes import cluster_programs

SOURCE = Path(cluster_programs.__file__)


@dataclass(frozen=True)
class ProgramMachine:
    """The programs of a machine, and the file with its clusters.

    Attributes:
        folder: The folder of the programs.
        state: The file; see :mod:`support.fakes.cluster_programs`.
    """

    folder: Path
    state: Path

    def update(self, **changes: Any) -> dict[str, Any]:
        """Change the state; returns all of it."""
        current = json.loads(self.state.read_text()) if self.state.exists() else {}
        current = {"docker": True, "clusters": {}, **current, **changes}
        self.state.write_text(json.dumps(current))
        return current

    def calls(self) -> list[str]:
        """The calls so far, in their order, without the folder of an archive."""
        calls = [call.split() for call in self.update().get("calls", [])]
        return [
            " ".join(Path(word).name if word.startswith("/") else word for word in words)
            for words in calls
        ]


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ProgramMachine:
    """Put the programs first on PATH."""
    machine = ProgramMachine(folder / "bin", folder / "state.json")
    machine.folder.mkdir()
    for name in ("kind", "minikube", "docker"):
        program = machine.folder / name
        program.write_text(f"#!{sys.executable}\n{SOURCE.read_text()}")
        program.chmod(0o755)
    monkeypatch.setenv(cluster_programs.STATE, str(machine.state))
    monkeypatch.setenv("PATH", str(machine.folder), prepend=":")
    machine.update()
    return machine
