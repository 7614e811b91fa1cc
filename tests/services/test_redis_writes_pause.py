"""The script that pauses writes resets their limit itself, in a real Redis."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from support.programs.ports import free_port
from support.programs.processes import PATIENCE_S, Running, wait_until
from vrooli.databases.redis import writes_pause


def _limit(port: int) -> str:
    argv = ["redis-cli", "-p", str(port), "CONFIG", "GET", writes_pause.WRITE_LIMIT]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()[-1]


def test_the_limit_of_writes_is_reset_after_the_script_was_stopped(tmp_path: Path) -> None:
    port = free_port()
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    server = Running("redis", [*argv, "--save", ""], port, tmp_path).start()
    # A replica that cannot be reached: the script waits for it until its time ends.
    script = f"timeout 2 {writes_pause.PAUSE}"
    try:
        pause = ["sh", "-c", script, "sh", "500", "10", "0", "1", "127.0.0.99"]
        environment = {**os.environ, "REDIS_PORT": str(port)}
        done = subprocess.run(pause, env=environment, capture_output=True, check=False)
        assert done.returncode == 124, done
        assert _limit(port) == "1"  # it did not wait for the reset
        wait_until(lambda: _limit(port) == "0", PATIENCE_S, "the limit is reset")
    finally:
        server.stop()
