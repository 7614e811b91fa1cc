"""Go modules are verified by the sums that this repository records."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.programs import golang, model
from vrooli.programs.model import Group

MODULE, VERSION = "example.test/tool", "v1.0.0"
GROUP = Group("tool", f"{MODULE}@{VERSION}", {"tool": MODULE}, build_s=1)
WRONG = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="Go is not installed")


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A group's folder with go.mod, and a module source on the disk that serves its module."""
    served = tmp_path / "served" / MODULE / "@v"
    served.mkdir(parents=True)
    text = f"module {MODULE}\n\ngo 1.25\n"
    (served / f"{VERSION}.info").write_text(json.dumps({"Version": VERSION}))
    (served / f"{VERSION}.mod").write_text(text)
    with zipfile.ZipFile(served / f"{VERSION}.zip", "w") as archive:
        archive.writestr(f"{MODULE}@{VERSION}/go.mod", text)
        archive.writestr(f"{MODULE}@{VERSION}/main.go", "package main\n\nfunc main() {}\n")
    folder = tmp_path / "go" / "tool"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text(
        f"module programs\n\ngo 1.25\n\nrequire {MODULE} {VERSION} // indirect\n"
    )
    monkeypatch.setattr(model, "GO_DIR", tmp_path / "go")
    monkeypatch.setenv("VROOLI_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GOPROXY", f"file://{tmp_path / 'served'}")
    return folder


@needs_go
async def test_a_module_that_differs_from_its_recorded_sum_is_rejected(pinned: Path) -> None:
    (pinned / "go.sum").write_text(f"{MODULE} {VERSION} {WRONG}\n")
    with pytest.raises(VrooliError, match="checksum mismatch"):
        await golang.source(GROUP, Progress())


@needs_go
async def test_a_module_without_a_recorded_sum_is_rejected(pinned: Path) -> None:
    (pinned / "go.sum").write_text("")
    with pytest.raises(VrooliError, match="is not recorded"):
        await golang.source(GROUP, Progress())
    assert (pinned / "go.sum").read_text() == ""


@needs_go
async def test_no_program_is_built_from_modules_without_recorded_sums(
    pinned: Path, tmp_path: Path
) -> None:
    (pinned / "go.sum").write_text("")
    with pytest.raises(VrooliError, match=r"missing go\.sum entry"):
        await golang.build(GROUP, tmp_path, Progress())
    assert (pinned / "go.sum").read_text() == ""


@pytest.mark.parametrize("name", ["GOSUMDB", "GOFLAGS", "GOTOOLCHAIN", "GOWORK"])
def test_the_caller_s_settings_do_not_change_how_modules_are_verified(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = golang._environment(GROUP)[name]
    monkeypatch.setenv(name, "other")
    assert golang._environment(GROUP)[name] == expected
