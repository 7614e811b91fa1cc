"""The Go toolchain and what builds say."""

import asyncio
import os
import zipfile
from pathlib import Path

import pytest

from vrooli.errors import CommandError, PrerequisiteError
from vrooli.events import Progress
from vrooli.programs import golang
from vrooli.programs.versions import GO_WHEEL


async def test_two_builds_at_once_install_the_wheel_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[str] = []

    async def run(argv: list[str], **settings: object) -> None:
        installed.append(argv[-1])
        target = Path(argv[argv.index("--target") + 1])
        for folder in ("bin", "pkg"):
            (target / "go" / folder).mkdir(parents=True)
        (target / "go" / "bin" / "go").touch(mode=0o644)
        await asyncio.sleep(0.05)

    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(golang.shutil, "which", lambda name: None)
    monkeypatch.setattr(golang.process, "run", run)
    first, second = await asyncio.gather(golang.toolchain(Progress()), golang.toolchain(Progress()))
    assert installed == [str(golang.WHEEL_HASHES)]
    assert first == second
    assert first.stat().st_mode & 0o111


@pytest.mark.parametrize("part", ["", "go", f"programs/{GO_WHEEL.replace('==', '-')}/go/bin/go"])
async def test_a_toolchain_or_cache_that_others_can_change_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    if os.geteuid() != 0:
        pytest.skip("other users risk only their own account")
    go = tmp_path / "programs" / GO_WHEEL.replace("==", "-") / "go" / "bin" / "go"
    for folder in (go.parent, tmp_path / "go"):
        folder.mkdir(parents=True)
    go.touch(mode=0o755)
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(golang.shutil, "which", lambda name: None)
    assert await golang.toolchain(Progress()) == go
    os.chown(tmp_path / part, 4711, 4711)
    with pytest.raises(PrerequisiteError, match="belongs to the user 4711"):
        await golang.toolchain(Progress())


def test_the_hashes_are_those_of_the_pinned_wheel() -> None:
    assert f"\n{GO_WHEEL} \\\n" in golang.WHEEL_HASHES.read_text()


async def test_a_wheel_with_another_content_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, version = GO_WHEEL.split("==")
    folder = f"{name.replace('-', '_')}-{version}"
    with zipfile.ZipFile(tmp_path / f"{folder}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("go/bin/go", "#!/bin/sh\n")
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        wheel.writestr(f"{folder}.dist-info/METADATA", metadata)
        wheel.writestr(f"{folder}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{folder}.dist-info/RECORD", "")
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setattr(golang.shutil, "which", lambda name: None)
    with pytest.raises(CommandError, match="DO NOT MATCH THE HASHES"):
        await golang.toolchain(Progress())
    assert not list((tmp_path / "cache").rglob("go/bin/go"))
