"""A repository of pgBackRest in a fake pod, which behaves as version 2.45 does."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from vrooli.kube.execution import Completed, Program

Body = dict[str, Any]
START = 1_795_945_460


def backup(label: str, *, seconds: int = 0, repository: int = 1, **fields: Any) -> Body:
    """A backup as `pgbackrest info` reports it; it starts so many seconds after `START`."""
    kinds = {"F": "full", "D": "diff", "I": "incr"}
    return {
        "label": label,
        "type": kinds[label[-1]],
        "database": {"id": 1, "repo-key": repository},
        "timestamp": {"start": START + seconds, "stop": START + seconds + 10},
        "info": {"size": 31_239_597, "repository": {"delta": 1, "size": 4_130_341}},
        "error": False,
        **fields,
    }


def report(
    *backups: Body,
    repositories: int = 1,
    cipher: str = "none",
    databases: Sequence[Body] = (),
    **status: Any,
) -> str:
    """The output of `pgbackrest info --output=json`."""
    repos = [
        {"key": key, "cipher": cipher, "status": {"code": 0, "message": "ok", **status}}
        for key in range(1, repositories + 1)
    ]
    lock = {"lock": {"backup": {"held": False}}}
    stanza = {
        "name": "db",
        "db": list(databases),
        "repo": repos,
        "backup": list(backups),
        "status": lock,
    }
    return json.dumps([stanza])


@dataclass
class FakeRepository:
    """Runs pgbackrest, with backups and files in memory.

    Attributes:
        backups: The backups, oldest first.
        files: The content of each file of `repo-put`.
        commands: The commands that ran, with their arguments.
        failure: What each backup ends with, if it fails.
    """

    backups: list[Body] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    commands: list[list[str]] = field(default_factory=list)
    failure: Completed | None = None

    def run(self, program: Program) -> Completed:
        """Run one command."""
        script, arguments = program.argv[2], list(program.argv[6:])
        if "pgbackrest " not in script:
            pytest.fail(f"not expected: {script}")
        self.commands.append(arguments)
        command, *options = arguments
        method = getattr(self, f"_{command.replace('-', '_')}", None)
        if method is None:
            pytest.fail(f"pgbackrest does not know {command}")
        result: Completed = method(options, program.stdin)
        return result

    def _info(self, options: list[str], stdin: bytes) -> Completed:
        return Completed(0, report(*self.backups), "")

    def _backup(self, options: list[str], stdin: bytes) -> Completed:
        if self.failure:
            return self.failure
        self.backups.append(backup("20261129-094420F", seconds=len(self.backups) * 100))
        return Completed(0, "", "")

    def _annotate(self, options: list[str], stdin: bytes) -> Completed:
        values = dict(item.removeprefix("--").split("=", 1) for item in options)
        (target,) = [item for item in self.backups if item["label"] == values["set"]]
        key, value = values["annotation"].split("=", 1)
        target.setdefault("annotation", {})[key] = value
        return Completed(0, "", "")

    def _repo_put(self, options: list[str], stdin: bytes) -> Completed:
        self.files[options[-1]] = base64.b64decode(stdin)
        return Completed(0, "", "")

    def _repo_get(self, options: list[str], stdin: bytes) -> Completed:
        return Completed(0, base64.b64encode(self.files[options[-1]]).decode(), "")

    def _repo_ls(self, options: list[str], stdin: bytes) -> Completed:
        folder = options[-1]
        listed = {
            path.removeprefix(f"{folder}/"): {"type": "file", "size": len(data)}
            for path, data in self.files.items()
            if path.startswith(f"{folder}/")
        }
        return Completed(0, json.dumps({".": {"type": "path"}} | listed), "")

    def _repo_rm(self, options: list[str], stdin: bytes) -> Completed:
        folder = options[-1]
        for path in [item for item in self.files if item.startswith(f"{folder}/")]:
            del self.files[path]
        return Completed(0, "", "")
