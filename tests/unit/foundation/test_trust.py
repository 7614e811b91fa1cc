"""What root executes can be changed by nobody else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from vrooli import trust
from vrooli.errors import PrerequisiteError
from vrooli.trust import create_trusted, distrust, require_trusted

STRANGER = 4711


def _status(mode: int, user: int = 0, group: int = 0) -> os.stat_result:
    return os.stat_result((mode, 1, 1, 1, user, group, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("mode", "user", "group", "is_parent", "reason"),
    [
        (stat.S_IFDIR | 0o755, 0, 0, True, ""),
        (stat.S_IFREG | 0o755, 0, 0, False, ""),
        (stat.S_IFREG | 0o775, 0, 0, False, ""),  # the group of root
        (stat.S_IFLNK | 0o777, 0, 0, False, ""),
        (stat.S_IFDIR | 0o1777, 0, 0, True, ""),  # /tmp above a folder of root
        (stat.S_IFDIR | 0o1777, 0, 0, False, "mode 1777"),
        (stat.S_IFDIR | 0o777, 0, 0, True, "mode 0777"),
        (stat.S_IFDIR | 0o775, 0, 100, True, "mode 0775"),
        (stat.S_IFREG | 0o757, 0, 0, False, "mode 0757"),
        (stat.S_IFREG | 0o755, STRANGER, 0, False, f"the user {STRANGER}"),
        (stat.S_IFDIR | 0o700, STRANGER, STRANGER, True, f"the user {STRANGER}"),
        (stat.S_IFLNK | 0o777, STRANGER, 0, False, f"the user {STRANGER}"),
    ],
)
def test_a_file_is_trusted_by_its_owner_and_mode(
    mode: int, user: int, group: int, is_parent: bool, reason: str
) -> None:
    found = distrust(_status(mode, user, group), is_parent=is_parent)
    assert reason in found
    assert bool(found) == bool(reason)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    if os.geteuid() != 0:
        pytest.skip("only root must trust files")
    program = tmp_path / "cache" / "programs" / "kubelet"
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    require_trusted(program)
    return program


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder that other users can write to."""
    if os.geteuid() != 0:
        pytest.skip("only root must trust files")
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    return shared


@pytest.mark.parametrize("level", range(3))
def test_a_stranger_anywhere_above_a_program_is_named(program: Path, level: int) -> None:
    part = [program, *program.parents][level]
    os.chown(part, STRANGER, STRANGER)
    with pytest.raises(PrerequisiteError, match=f"{part} belongs to the user {STRANGER}") as raised:
        require_trusted(program)
    assert f"chown -h root:root {part}" in raised.value.advice


@pytest.mark.parametrize("level", range(3))
def test_a_part_that_all_can_write_to_is_named(program: Path, level: int) -> None:
    part = [program, *program.parents][level]
    part.chmod(0o777)
    with pytest.raises(PrerequisiteError, match=f"{part} can be changed by other users"):
        require_trusted(program)


def test_a_link_is_as_safe_as_both_of_its_ends(program: Path, tmp_path: Path) -> None:
    near = tmp_path / "near"
    near.mkdir()
    (near / "link").symlink_to(program)
    require_trusted(near / "link")
    near.chmod(0o777)
    with pytest.raises(PrerequisiteError, match=f"{near} can"):
        require_trusted(near / "link")
    near.chmod(0o755)
    program.parent.chmod(0o777)
    with pytest.raises(PrerequisiteError, match=f"{program.parent} can"):
        require_trusted(near / "link")


def test_each_link_of_a_chain_counts(program: Path, tmp_path: Path) -> None:
    """Root's link to a link of another user, who can let it lead elsewhere later."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "link").symlink_to(program.parent)
    (tmp_path / "first").symlink_to(Path("other", "..", "other", "link"))
    require_trusted(tmp_path / "first" / program.name)
    os.lchown(other / "link", 4711, 4711)
    with pytest.raises(PrerequisiteError, match="link belongs to the user 4711"):
        require_trusted(tmp_path / "first" / program.name)


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("x;id", "chown -h root:root '{}' && chmod go-w '{}'"),
        ("$(id)", "chown -h root:root '{}' && chmod go-w '{}'"),
        ("x`id`", None),
        ("x\nid", None),
    ],
)
def test_the_name_of_a_strangers_folder_is_no_command(
    shared: Path, target: str, command: str | None
) -> None:
    """Their link leads there, and root pastes what is printed."""
    shared.chmod(0o1777)
    (shared / target).mkdir()
    os.chown(shared / target, STRANGER, STRANGER)
    (shared / "cache").symlink_to(shared / target)
    with pytest.raises(PrerequisiteError) as raised:
        require_trusted(shared / "cache")
    if command is None:
        assert "chown" not in raised.value.advice
        assert "No command is shown" in raised.value.advice
    else:
        path = shared / target
        assert f"`{command.format(path, path)}`" in raised.value.advice


def test_a_link_of_a_stranger_is_removed_and_not_followed(shared: Path, tmp_path: Path) -> None:
    """To change its permissions would change those of any file that it leads to."""
    shared.chmod(0o1777)
    link = shared / "cache"
    link.symlink_to(tmp_path)
    os.chown(link, STRANGER, STRANGER, follow_symlinks=False)
    with pytest.raises(PrerequisiteError) as raised:
        require_trusted(link)
    assert f"run `rm {link}`" in raised.value.advice


def test_other_users_than_root_risk_only_their_own_account(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.chmod(0o777)
    monkeypatch.setattr(trust.os, "geteuid", lambda: STRANGER)
    require_trusted(program)


@pytest.mark.parametrize("names", [("state",), ("state", "clusters", "demo")])
def test_nothing_is_created_below_a_folder_that_others_can_write_to(
    shared: Path, names: tuple[str, ...]
) -> None:
    with pytest.raises(PrerequisiteError, match=f"{shared} can be changed by other users"):
        create_trusted(shared.joinpath(*names))
    assert list(shared.iterdir()) == []


def test_nothing_is_created_behind_a_link_of_a_stranger(shared: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    shared.chmod(0o1777)
    (shared / "link").symlink_to(target)
    os.chown(shared / "link", STRANGER, STRANGER, follow_symlinks=False)
    with pytest.raises(PrerequisiteError, match=f"link belongs to the user {STRANGER}"):
        create_trusted(shared / "link" / "state")
    assert list(target.iterdir()) == []


def test_a_folder_is_created_below_one_with_the_sticky_bit(shared: Path) -> None:
    shared.chmod(0o1777)
    create_trusted(shared / "state" / "clusters", 0o700)
    create_trusted(shared / "state" / "clusters", 0o700)
    assert stat.S_IMODE((shared / "state" / "clusters").stat().st_mode) == 0o700


def test_an_existing_folder_must_be_trusted(shared: Path) -> None:
    with pytest.raises(PrerequisiteError, match="can be changed by other users"):
        create_trusted(shared)
    shared.chmod(0o1777)
    with pytest.raises(PrerequisiteError, match="can be changed by other users"):
        create_trusted(shared)
