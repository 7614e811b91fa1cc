"""Programs that a test leaves running, and ends by their own process id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# How long what always comes may take on a busy machine, seconds: only a failing test waits so long.
PATIENCE_S = 120.0


def wait_until(holds: Callable[[], object], limit_s: float, what: str) -> None:
    """Poll a condition every 50 ms until it holds; fails with ``what`` after the timeout."""
    deadline = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {limit_s:g} s: {what}")
        time.sleep(0.05)


def listens(port: int) -> bool:
    """Whether something accepts connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Running:
    """One program under a name; its output goes to a file that failing tests show."""

    name: str
    argv: Sequence[str | Path]
    port: int
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What it printed so far."""
        return (self.folder / f"{self.name}.log").read_text(errors="replace")

    def start(self, limit_s: float = PATIENCE_S) -> Running:
        """Start it and wait until its port answers."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in self.argv],
                env={**os.environ, **self.env},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self.user,
                start_new_session=True,
            )
        try:
            wait_until(self._up, limit_s, f"{self.name} listens on port {self.port}")
        except TimeoutError as error:
            self.stop(signal.SIGKILL)
            raise TimeoutError(f"{error}\n{self.log[-2000:]}") from None
        return self

    def _up(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended at once:\n{self.log[-2000:]}")
        return listens(self.port)

    def stop(self, sent: signal.Signals = signal.SIGTERM, limit_s: float = 25.0) -> float:
        """End it; returns the seconds it took. One that doesn't end is killed, and that fails."""
        start = time.monotonic()
        if self.process is None or self.process.poll() is not None:
            return 0.0
        self.process.send_signal(sent)
        try:
            self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
            raise
        return time.monotonic() - start
