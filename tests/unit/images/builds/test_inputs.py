"""An image's inputs: what changes their hash, and what doesn't."""

from pathlib import Path

import pytest

from vrooli.images.builds.inputs import inputs_hash
from vrooli.images.catalog import Image

IMAGE = Image(
    "x", "1", "services/x", 1, context="services", sources=("x", "shared"), programs=("tool",)
)


@pytest.fixture(autouse=True)
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two services that share a folder."""
    monkeypatch.setenv("VROOLI_ROOT", str(tmp_path))
    for path, content in {
        "x/Containerfile": "FROM scratch\n",
        "x/main.py": "one",
        "shared/lib.py": "two",
        "other/main.py": "three",
    }.items():
        file = tmp_path / "services" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return tmp_path / "services"


def _hash(base: str | None = "id", tool: str = "digest") -> str:
    return inputs_hash(IMAGE, base, {"tool": tool})


def test_the_same_inputs_have_the_same_hash() -> None:
    assert _hash() == _hash()


@pytest.mark.parametrize("path", ["x/Containerfile", "x/main.py", "shared/lib.py", "x/new.py"])
def test_a_changed_or_new_source_changes_the_hash(services: Path, path: str) -> None:
    before = _hash()
    (services / path).write_text("changed")
    assert _hash() != before


def test_a_file_that_becomes_executable_changes_the_hash(services: Path) -> None:
    before = _hash()
    (services / "x/main.py").chmod(0o755)
    assert _hash() != before


def test_content_that_moves_to_another_file_changes_the_hash(services: Path) -> None:
    before = _hash()
    (services / "x/main.py").rename(services / "x/moved.py")
    assert _hash() != before


def test_a_changed_ignore_list_changes_the_hash(services: Path) -> None:
    before = _hash()
    (services / ".containerignore").write_text("*.md\n")
    assert _hash() != before


def test_another_base_or_program_changes_the_hash() -> None:
    assert len({_hash(), _hash(base="other"), _hash(base=None), _hash(tool="other")}) == 4


@pytest.mark.parametrize(
    "path", ["other/main.py", "x/__pycache__/a.pyc", "x/node_modules/a.js", "x/tests/test_a.py"]
)
def test_what_is_no_source_of_the_image_leaves_the_hash(services: Path, path: str) -> None:
    before = _hash()
    (services / path).parent.mkdir(exist_ok=True)
    (services / path).write_text("changed")
    assert _hash() == before
