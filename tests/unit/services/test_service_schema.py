"""What the report of a schema says, and the rule that migrations keep."""

from __future__ import annotations

import re

import pytest

from vrooli_shared.schema import MIGRATIONS, Report


def _report(**parts: object) -> Report:
    whole = {
        "user": "vrooli",
        "owner": "vrooli",
        "missing": (),
        "refused": (),
        "recorded": (),
        "tables": frozenset(),
    }
    return Report(**{**whole, **parts})  # type: ignore[arg-type]


def test_a_complete_schema_has_no_problem() -> None:
    assert _report().is_complete
    assert _report(owner="postgres").problem == ""


def test_missing_objects_and_privileges_are_named() -> None:
    report = _report(missing=("table vrooli.posts",), refused=("INSERT on vrooli.pictures",))
    assert not report.is_complete
    assert report.problem == (
        "schema missing: table vrooli.posts; user vrooli lacks INSERT on vrooli.pictures"
    )


def test_a_different_owner_is_named() -> None:
    report = _report(owner="postgres", missing=("table vrooli.posts",))
    assert report.problem.endswith("schema vrooli belongs to postgres, the service is vrooli")


@pytest.mark.parametrize(("name", "statements"), MIGRATIONS)
def test_a_migration_is_idempotent_and_deletes_nothing(name: str, statements: str) -> None:
    """They run again where a table is lost: each makes only what isn't there."""
    code = re.sub(r"--.*", "", statements).upper()
    # A trigger may be fired by what it doesn't do itself.
    assert not re.search(r"(?<!\bAFTER )\b(DROP|TRUNCATE|DELETE)\b(?! CASCADE)", code), name
    makes = re.findall(r"\b(CREATE (?:TABLE|INDEX)|ADD COLUMN)\b(?! IF NOT EXISTS)", code)
    assert not makes, name
    assert not re.search(r"\bCREATE (?!OR REPLACE )(?:FUNCTION|TRIGGER)\b", code), name
