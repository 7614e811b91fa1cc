"""Every file that the specification links to is there."""

from __future__ import annotations

import re

import pytest

from support.docs import specification
from vrooli import project

ROOT = project.root()
pytestmark = pytest.mark.skipif(
    not specification.folder().is_dir(), reason="the specification isn't kept beside this checkout"
)
LISTED = re.compile(r"^- The specification's file `([^`]+)`", re.MULTILINE)


def test_every_file_that_is_linked_is_there_or_a_listed_deviation() -> None:
    linked = specification.linked_files()
    assert len(linked) > 10
    missing = {name for name in linked if not (ROOT / name).exists()}
    assert missing == set(LISTED.findall((ROOT / "docs" / "deviations.md").read_text()))
