"""The script that pauses writes resets their limit itself, in a real Redis."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from support.programs.backend import Running, free_port
from vrooli.databases.redis import writes_pause


def _limit(port: int) -> str:
    argv = ["redis-cli", "-p", str(port), "CONFIG", "GET", writes_pause.WRITE_LIMIT]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()[-1]


def test_the_limit_of_writes_is_reset_after_the_script_was_stopped(tmp_path: Path) -> None:
    port = free_port()
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path)]
    server = Running("redis", [*argv, "--save", ""], port, tmp_path).start()
    # A replica that cannot be reached: the script waits for it until its time ends.
    script = f"timeout 1 {writes_pause.PAUSE}"
    try:
        pause = ["sh", "-c", script, "sh", "500", "3", "0", "1", "127.0.0.99"]
        environment = {**os.environ, "REDIS_PORT": str(port)}
        began = time.monotonic()
        done = subprocess.run(pause, env=environment, capture_output=True, check=False)
        assert done.returncode == 124, done
        assert time.monotonic() - began < 2.5
        assert _limit(port) == "1"
        while _limit(port) != "0":
            assert time.monotonic() - began < 20
            time.sleep(0.2)
    finally:
        server.stop()
