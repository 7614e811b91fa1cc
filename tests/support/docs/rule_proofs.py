"""How each rule of the diagnosis was proven, in docs/diagnosis-proofs.yaml.

Live tests write their seconds there when golden files are written anew; what can't be made live is
entered by hand as ``recorded``.
"""

from __future__ import annotations

import os

import yaml

from support.failures.live_faults import Named
from vrooli import project

PATH = project.root() / "docs" / "diagnosis-proofs.yaml"
HEAD = "# How each rule was proven, and how long a look took that named it, seconds.\n"


def record(rule: str, named: Named) -> None:
    """Note how long it took to name a fault that was made in a live release."""
    if os.environ.get("VROOLI_UPDATE_GOLDEN"):
        rows = yaml.safe_load(PATH.read_text()) if PATH.exists() else None
        rows = {**(rows or {}), rule: {"proven": "live", "seconds": named.look_s}}
        PATH.write_text(HEAD + yaml.safe_dump(dict(sorted(rows.items()))))
