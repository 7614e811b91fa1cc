"""The line about security updates and known vulnerabilities."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from vrooli.cli.terminal import tables
from vrooli.workflows.results.base import PackagesView

UPDATES = ("libssl3 1 → 3", "libssl3 2 → 3", "bash 1 → 2")


@pytest.mark.parametrize(
    ("updates", "vulnerabilities", "unchecked", "expected"),
    [
        ((), (), (), "no missing security updates, no known vulnerabilities"),
        (
            UPDATES,
            (),
            (),
            "security updates of 2 packages in the images: run `vrooli setup --update-images`",
        ),
        (
            (),
            ("GHSA-x: a 1",),
            ("updates of images: no route",),
            "known vulnerabilities: 1, see `vrooli test --suite vulnerabilities`; "
            "not checked: updates of images: no route",
        ),
    ],
)
def test_it_names_the_counts_the_commands_and_what_is_unknown(
    updates: tuple[str, ...],
    vulnerabilities: tuple[str, ...],
    unchecked: tuple[str, ...],
    expected: str,
) -> None:
    view = PackagesView(
        looked_up_at=datetime(2026, 1, 2, tzinfo=UTC),
        updates=updates,
        vulnerabilities=vulnerabilities,
        unchecked=unchecked,
    )
    output = io.StringIO()
    tables.show_packages(view, Console(file=output, width=400))
    assert output.getvalue() == f"\nPackages: {expected} (2026-01-02)\n"
    tables.show_packages(None, Console(file=output))
