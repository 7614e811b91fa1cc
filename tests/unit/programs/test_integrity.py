"""Programs of the cache that changed since they were installed are not run."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from support.programs.file_times import await_tick
from vrooli.errors import PrerequisiteError
from vrooli.programs.integrity import FILE, verify


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "etcd").write_bytes(b"program")
    verify(tmp_path, ["etcd"])
    return tmp_path


def test_an_unchanged_program_is_not_hashed_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashlib, "file_digest", None)
    verify(folder, ["etcd"])


@pytest.mark.parametrize("content", [b"malware", b"longer than before", b""])
def test_a_changed_program_is_refused(folder: Path, content: bytes) -> None:
    times = (folder / "etcd").stat()
    await_tick(folder)
    (folder / "etcd").write_bytes(content)
    os.utime(folder / "etcd", ns=(times.st_atime_ns, times.st_mtime_ns))
    for _ in range(2):  # it stays refused
        with pytest.raises(PrerequisiteError, match="etcd has changed") as raised:
            verify(folder, ["etcd"])
    assert f"Delete {folder}" in raised.value.advice


def test_another_file_in_its_place_is_refused(folder: Path) -> None:
    (folder / "other").write_bytes(b"malware")
    (folder / "other").replace(folder / "etcd")
    with pytest.raises(PrerequisiteError, match="etcd has changed"):
        verify(folder, ["etcd"])


def test_a_program_that_is_gone_is_named(folder: Path) -> None:
    (folder / "etcd").unlink()
    with pytest.raises(PrerequisiteError, match="etcd is missing"):
        verify(folder, ["etcd"])


def test_a_copy_of_the_cache_is_hashed_once_more_and_accepted(folder: Path) -> None:
    (folder / "copy").write_bytes(b"program")
    (folder / "copy").replace(folder / "etcd")
    verify(folder, ["etcd"])
    recorded = json.loads((folder / FILE).read_text())["etcd"]
    assert recorded["inode"] == (folder / "etcd").stat().st_ino


def test_a_cache_of_an_older_version_is_recorded_at_its_first_use(tmp_path: Path) -> None:
    (tmp_path / "etcd").write_bytes(b"program")
    (tmp_path / "ctr").write_bytes(b"client")
    verify(tmp_path, ["etcd"])
    verify(tmp_path, ["ctr"])
    recorded = json.loads((tmp_path / FILE).read_text())
    assert recorded["ctr"]["sha256"] == hashlib.sha256(b"client").hexdigest()
    assert set(recorded) == {"etcd", "ctr"}
