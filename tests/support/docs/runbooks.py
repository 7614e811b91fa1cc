"""The runbooks of docs/day-2.md and the list of the tests that prove them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import yaml

from vrooli import project

PAGE = project.root() / "docs" / "day-2.md"
PROOFS = project.root() / "docs" / "day-2-proofs.yaml"
# The entry of a runbook that shows no command.
SITUATION = "situation"
_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"^```bash\n(.*?)^```", re.DOTALL | re.MULTILINE)


def commands() -> Mapping[str, Sequence[str]]:
    """The commands of each runbook, as the page prints them."""
    return {
        title: [line for block in _BLOCK.findall(text) for line in block.splitlines() if line]
        for title, text in _SECTION.findall(PAGE.read_text())
    }


def proofs() -> Mapping[str, Mapping[str, str]]:
    """The test that proves each command, by runbook and command."""
    listed: Mapping[str, Mapping[str, str]] = yaml.safe_load(PROOFS.read_text())
    return listed
