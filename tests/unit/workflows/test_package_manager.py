"""The host's packages: looked for first, installed if missing, never removed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from vrooli.errors import CommandError, PrerequisiteError
from vrooli.events import Event, Progress, StepProgressed
from vrooli.process import Completed
from vrooli.workflows.host import package_manager

DESIRED = {"there": "sh", "file": "/etc/passwd", "absent": "no-such-program-7"}


class Apt:
    """Stands for apt-get: notes each argv, and refuses what it wasn't told of."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.refusals: list[CommandError] = []

    async def run(
        self,
        argv: list[str],
        *,
        env: dict[str, str],
        timeout_s: float,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        assert argv[0] in ("apt-get", "dpkg")
        assert env["DEBIAN_FRONTEND"] == "noninteractive"
        self.calls.append([word for word in argv if not word.startswith(("-o", "DP", "APT"))])
        if self.refusals:
            raise self.refusals.pop(0)
        if on_line is not None:
            on_line("pmstatus:absent:42.5:Unpacking absent")
            on_line("Reading package lists...")
        return Completed("", "", 0)


@pytest.fixture
def apt(monkeypatch: pytest.MonkeyPatch) -> Apt:
    """A Debian host, as root."""
    result = Apt()
    monkeypatch.setattr(package_manager.process, "run", result.run)
    monkeypatch.setattr(package_manager.os, "geteuid", lambda: 0)
    return result


def _ensure(packages: dict[str, str], listener: Callable[[Event], None] = lambda _: None) -> object:
    return asyncio.run(package_manager.ensure_packages(Progress("packages", listener), packages))


def test_with_all_there_apt_is_not_started(apt: Apt) -> None:
    done = _ensure({"there": "sh", "file": "/etc/passwd"})
    assert done == package_manager.Done(changed=False, detail="all 2 are installed")
    assert apt.calls == []


def test_only_what_is_missing_is_installed_and_nothing_may_be_removed(apt: Apt) -> None:
    done = _ensure(DESIRED)
    assert done == package_manager.Done(changed=True, detail="installed absent")
    assert apt.calls[0] == ["dpkg", "--configure", "-a"]
    assert apt.calls[1] == ["apt-get", "-qq", "update"]
    assert apt.calls[2][2:] == [
        "install",
        "--yes",
        "--no-install-recommends",
        "--no-remove",
        "absent",
    ]


@pytest.mark.parametrize(
    ("said", "holder"),
    [
        ("dpkg: error: dpkg frontend lock was locked by another process with pid 7", "a program"),
        ("E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)", "apt"),
    ],
)
def test_another_installation_is_waited_for(
    apt: Apt, monkeypatch: pytest.MonkeyPatch, said: str, holder: str
) -> None:
    monkeypatch.setattr(package_manager, "OTHERS_PAUSE_S", 0)
    apt.refusals = [CommandError(("apt",), 100, said)] * 2
    events: list[Event] = []
    assert _ensure(DESIRED, events.append) == package_manager.Done(
        changed=True, detail="installed absent"
    )
    assert len(apt.calls) == 3 + 2
    assert f"another installation on this host: {holder}" in str(events)
    assert "process 7" in str(events)


def test_any_other_error_of_apt_is_reported_at_once(apt: Apt) -> None:
    apt.refusals = [CommandError(("apt",), 100, "E: Unable to locate package absent")]
    with pytest.raises(CommandError, match="Unable to locate"):
        _ensure(DESIRED)
    assert len(apt.calls) == 1


def test_another_installation_that_never_ends_is_reported(
    apt: Apt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_manager, "OTHERS_S", -1)
    apt.refusals = [CommandError(("dpkg",), 2, "locked by another process with pid 7")]
    with pytest.raises(CommandError, match="pid 7"):
        _ensure(DESIRED)


async def test_an_installation_is_not_cut_off_by_a_cancelled_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = asyncio.Event()

    async def slow() -> Completed:
        await asyncio.sleep(0.05)
        ended.set()
        return Completed("", "", 0)

    task = asyncio.create_task(package_manager._to_its_end(slow()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


def test_apts_own_status_lines_become_progress(apt: Apt) -> None:
    events: list[Event] = []
    _ensure(DESIRED, events.append)
    assert StepProgressed("packages", "Unpacking absent (42 %)") in events


def test_another_user_than_root_is_reported_what_root_should_install(
    apt: Apt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_manager.os, "geteuid", lambda: 1000)
    with pytest.raises(PrerequisiteError, match="no-such-program-7") as lack:
        _ensure(DESIRED)
    assert lack.value.advice == "Run as root: apt-get install absent"
    assert apt.calls == []


def test_without_apt_the_missing_programs_are_named(
    apt: Apt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PrerequisiteError, match="no-such-program-7, and no apt-get"):
        _ensure(DESIRED)


def test_a_system_folder_that_is_missing_from_path_is_searched(
    apt: Apt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    _ensure({"there": "sh"})
    assert apt.calls == []


def test_other_systems_are_reported_what_they_can_use(
    apt: Apt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_manager.sys, "platform", "darwin")
    with pytest.raises(PrerequisiteError, match="on Linux only") as lack:
        _ensure(DESIRED)
    assert "--cluster minikube" in lack.value.advice
