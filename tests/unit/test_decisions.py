"""Decision records have one form, and the index lists all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vrooli import project

FOLDER = project.root() / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
TITLE = re.compile(r"# (\d{4}): (\S.*)")
ROW = re.compile(r"^\| \[(\d{4})\]\((.+?)\) \| (.+?) \| (.+?) \|$", re.MULTILINE)
SECTIONS = ["Status", "Context", "Decision", "Consequences"]


def _title(record: Path) -> tuple[str, str]:
    match = TITLE.fullmatch(record.read_text().splitlines()[0])
    assert match is not None, record.name
    return match[1], match[2]


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def test_no_two_records_share_a_number() -> None:
    numbers = [_title(record)[0] for record in RECORDS]
    assert sorted(set(numbers)) == numbers


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_record_is_named_by_its_number_and_title(record: Path) -> None:
    number, title = _title(record)
    assert record.stem == f"{number}-{_slug(title)}"


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)
def test_a_record_has_its_sections_in_order(record: Path) -> None:
    sections = re.findall(r"^## (.+)$", record.read_text(), re.MULTILINE)
    assert sections in (SECTIONS, [*SECTIONS, "Alternatives"])


def test_the_index_lists_every_record_with_its_title_and_status() -> None:
    rows = ROW.findall((FOLDER / "README.md").read_text())
    assert [(number, name, title) for number, name, title, _ in rows] == [
        (number, record.name, title) for record in RECORDS for number, title in (_title(record),)
    ]
    for _, name, _, status in rows:
        assert _status(FOLDER / name) == status


def _status(record: Path) -> str:
    """The status without the addresses of links."""
    section = record.read_text().split("## Status\n\n")[1].split("\n\n## ")[0]
    return re.sub(r"\[(\d{4})\]\(.*?\)", r"\1", section).removesuffix(".")
