"""The systemd unit that starts a cluster with the host."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vrooli.cluster.embedded.host import autostart
from vrooli.cluster.embedded.layout import Layout
from vrooli.errors import PrerequisiteError

# Does what `enable` of the real one does, and notes how it was called.
SYSTEMCTL = """\
#!/bin/sh
echo "$@" >> "$0.said"
if [ "$1" = enable ]; then
  mkdir -p '{units}/multi-user.target.wants'
  ln -sf '{units}/'"$2" '{units}/multi-user.target.wants/'"$2"
fi
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "state" / "clusters" / "one")


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host that systemd runs, in folders of the test's own; gives what systemctl was told."""
    units, program = tmp_path / "units", tmp_path / "bin" / "systemctl"
    for folder in (units, program.parent, tmp_path / "booted"):
        folder.mkdir()
    program.write_text(SYSTEMCTL.format(units=units))
    program.chmod(0o755)
    monkeypatch.setattr(autostart, "UNITS", units)
    monkeypatch.setattr(autostart, "SYSTEMD_RUNNING", tmp_path / "booted")
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return program.with_name("systemctl.said")


async def test_enabling_writes_the_unit_once_and_disabling_leaves_nothing(
    layout: Layout, systemctl: Path
) -> None:
    assert not autostart.is_enabled(layout)
    assert await autostart.enable(layout)
    name = autostart.unit(layout).name
    assert systemctl.read_text().splitlines() == ["daemon-reload", f"enable {name}"]
    assert autostart.is_enabled(layout)
    assert not await autostart.enable(layout)
    assert await autostart.disable(layout)
    assert not autostart.is_enabled(layout)
    assert [path for path in autostart.UNITS.rglob("*") if not path.is_dir()] == []
    assert not await autostart.disable(layout)


async def test_another_place_of_the_program_writes_the_unit_anew(
    layout: Layout, systemctl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await autostart.enable(layout)
    monkeypatch.setattr(sys, "executable", "/elsewhere/python")
    assert await autostart.enable(layout)
    assert "ExecStart=/elsewhere/python " in autostart.unit(layout).read_text()


async def test_without_systemd_it_is_told_what_to_do(
    layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autostart, "UNITS", tmp_path)
    monkeypatch.setattr(autostart, "SYSTEMD_RUNNING", tmp_path / "nothing")
    with pytest.raises(PrerequisiteError, match="systemd does not run on this host") as raised:
        await autostart.enable(layout)
    assert "vrooli cluster start one" in raised.value.advice
    assert raised.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []
    assert not await autostart.disable(layout)


def test_the_unit_starts_and_stops_the_same_cluster_with_the_same_folders(layout: Layout) -> None:
    text = autostart.unit_text(
        layout, ["/my programs/100%/$python", "-m", "vrooli"], {"VROOLI_CACHE_DIR": "/my cache"}
    )
    lines = text.splitlines()
    program = '"/my programs/100%%/$$python" -m vrooli'
    assert f"ExecStart={program} cluster start one" in lines
    assert f"ExecStop={program} cluster stop one" in lines
    assert 'Environment="VROOLI_CACHE_DIR=/my cache"' in lines
    assert f"Environment=VROOLI_STATE_DIR={layout.root.parent.parent}" in lines
    assert f'RequiresMountsFor={layout.root.parent.parent} "/my cache"' in lines or (
        f'RequiresMountsFor="/my cache" {layout.root.parent.parent}' in lines
    )
    assert "WantedBy=multi-user.target" in lines


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd isn't installed here")
def test_systemd_itself_understands_the_unit(layout: Layout, tmp_path: Path) -> None:
    unit = tmp_path / autostart.unit(layout).name
    # It looks for the program, too.
    unit.write_text(
        autostart.unit_text(layout, autostart.start_command(), autostart.unit_environment())
    )
    done = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60, check=False
    )
    ours = [line for line in done.stderr.splitlines() if unit.name in line]
    assert ours == []
    assert done.returncode == 0, done.stderr
