"""The modules of a Go program, as Go's linker writes them into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vrooli.images import go_modules, records

LINES = (
    "path\texample.com/program",
    "mod\texample.com/program\t(devel)\t",
    "dep\tgithub.com/a/b\tv1.2.3\th1:x",
    "dep\tgithub.com/old/c\tv1.0.0",
    "=>\tgithub.com/new/c\tv1.1.0\th1:y",
    "dep\tgithub.com/old/d\tv1.0.0",
    "=>\t./local\t(devel)\t",
    "build\t-buildmode=exe",
)


def _length(number: int) -> bytes:
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _length(high) if high else bytes([low])


def _program(flags: int = 2, lines: tuple[str, ...] = LINES, before: bytes = b"\0" * 32) -> bytes:
    header = go_modules.MAGIC + bytes([8, flags]) + b"\0" * 16
    modules = b"\1" * 16 + "".join(f"{line}\n" for line in lines).encode() + b"\2" * 16
    version = b"go1.26.8 X:none"
    return before + header + _length(len(version)) + version + _length(len(modules)) + modules


def _read(path: Path, content: bytes) -> tuple[tuple[str, str], ...]:
    path.write_bytes(content)
    return go_modules.read(path)


def test_modules_are_listed_as_they_were_built(tmp_path: Path) -> None:
    assert _read(tmp_path / "program", _program()) == (
        ("github.com/a/b", "v1.2.3"),
        ("github.com/new/c", "v1.1.0"),
        ("github.com/old/d", "v1.0.0"),  # a copy of it in a folder
        ("stdlib", "1.26.8"),
    )


def test_a_mark_at_another_position_is_not_the_header(tmp_path: Path) -> None:
    content = _program(before=b"\0" * 5 + go_modules.MAGIC + b"\0" * 13)
    assert len(_read(tmp_path / "program", content)) == 4


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", go_modules.MAGIC[:9], _program(flags=0)])
def test_other_programs_have_no_modules(tmp_path: Path, content: bytes) -> None:
    assert _read(tmp_path / "program", content) == ()


def test_a_damaged_list_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="damaged list of modules"):
        _read(tmp_path / "program", _program()[:66])


def test_the_modules_of_an_image_are_recorded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path / "cache"))
    program = tmp_path / "program"
    program.write_bytes(_program())
    assert go_modules.recorded("sha256:1") is None
    go_modules.record("sha256:1", [program])
    expected = go_modules.read(program)
    program.unlink()
    go_modules.record("sha256:1", [program])
    assert go_modules.recorded("sha256:1") == expected
    records.retain_contents(set())
    assert go_modules.recorded("sha256:1") is None
