"""Vulnerabilities that are accepted with a reason, in accepted.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path

from vrooli.vulnerabilities.osv import Finding

FILE = Path(__file__).with_name("accepted.toml")


def split(findings: Iterable[Finding]) -> tuple[list[Finding], list[str]]:
    """The findings that are not accepted, and the accepted ids that no package has any more."""
    listed = list(findings)
    accepted = tomllib.loads(FILE.read_text())
    remaining = [finding for finding in listed if finding.id not in accepted]
    return remaining, sorted(accepted.keys() - {finding.id for finding in listed})
