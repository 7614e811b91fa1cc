"""The record: versions, what can be read, and its own checksum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vrooli.artifact import model
from vrooli.errors import UsageError


@pytest.mark.parametrize(
    "version", ["0.0.0", "1.2.3", "10.20.30", "1.2.3-rc.1", "1.0.0-alpha-b.7", "1.0.0-0a"]
)
def test_a_semantic_version_is_one(version: str) -> None:
    assert model.check_version(version) == version


@pytest.mark.parametrize(
    "version",
    [
        *("", "1", "1.2", "v1.2.3", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3-a..b"),
        *("1.2.3+build", "1.2.3\n", " 1.2.3", "latest", "../1.2.3", "1.2.3/x", "\u0661.2.3"),
        "1.2.3-" + "a" * 123,
    ],
)
def test_anything_else_is_wrong_use_and_the_form_is_told(version: str) -> None:
    with pytest.raises(UsageError, match="is not a valid version") as refused:
        model.check_version(version)
    assert "MAJOR.MINOR.PATCH" in refused.value.advice


def test_the_record_is_read_as_it_was_written(artifact: Path) -> None:
    found = model.read(artifact)
    assert found.text() == (artifact / model.RECORD).read_text()
    assert found == found.sealed()


def test_the_version_folder_leads_to_the_artifact_in_it(artifact: Path) -> None:
    assert model.locate(artifact) == model.locate(artifact.parent) == artifact


def _changed(artifact: Path, **changes: Any) -> None:
    path = artifact / model.RECORD
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("outside", ["../x", "/etc/passwd", "a/../../x", "", ".", "a//b"])
def test_a_record_that_names_files_outside_of_the_artifact_is_refused(
    artifact: Path, outside: str
) -> None:
    _changed(artifact, files={outside: {"sha256": "0" * 64, "size": 1}})
    with pytest.raises(UsageError) as refused:
        model.read(artifact)
    reason = refused.value.message.partition("is not a valid artifact record: ")[2]
    assert reason == f"its text: {outside!r} is not a path below the artifact."


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b"null"])
def test_a_record_that_is_none_is_refused_with_its_path(artifact: Path, content: bytes) -> None:
    (artifact / model.RECORD).write_bytes(content)
    with pytest.raises(UsageError, match="is not a valid artifact record") as refused:
        model.read(artifact)
    assert str(artifact / model.RECORD) in refused.value.message


def test_a_record_of_another_format_is_refused(artifact: Path) -> None:
    _changed(artifact, format=2)
    with pytest.raises(UsageError, match="has the format 2, this program reads 1"):
        model.read(artifact)


def test_a_folder_or_file_without_a_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file", tmp_path / "none"):
        with pytest.raises(UsageError, match="There is no artifact in"):
            model.read(path)
