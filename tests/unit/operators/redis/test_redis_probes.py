"""The probe of a Sentinel passes when it monitors a master."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from vrooli.operators.redis.probes import SENTINEL_READY


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        ("echo 10.42.0.7; echo 6379", True),
        ("echo fd00::7; echo 6379", True),
        ("echo 127.0.0.1; echo 6379", False),  # as its operator configures a new one
        ("echo; exit 1", False),
        ("echo 'ERR unknown command'", False),
        ("echo 'Could not connect' >&2; exit 1", False),
    ],
)
def test_a_sentinel_is_ready_when_it_monitors_a_master(
    tmp_path: Path, answer: str, ready: bool
) -> None:
    (tmp_path / "hostname").write_text("#!/bin/sh\necho rfs-0\n")
    (tmp_path / "redis-cli").write_text(f'#!/bin/sh\n[ "$2" = rfs-0 ] || exit 2\n{answer}\n')
    for program in tmp_path.iterdir():
        program.chmod(0o755)
    path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", SENTINEL_READY], env=path, timeout=60, check=False)
    assert (done.returncode == 0) is ready
