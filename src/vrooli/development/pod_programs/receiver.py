"""Receives the files of a service on standard input, and makes a folder equal to them.

Arguments: the folder, and the service's port, or 0 if the service reads changed files itself.

Each message is a tar archive of all files after its length, 8 bytes, big-endian. The answer is a
line of JSON: the number of changed files, and what the service does with them. If files changed,
the first process of the container, the supervisor, starts the service again.
"""

import io
import json
import os
import signal
import socket
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

# The names of the files that were received last; no others are deleted.
RECEIVED = ".received.json"
STATE = ".process.json"
# How long the service may take to listen again, seconds, and how often that is checked.
LISTEN_S, PAUSE_S = 20.0, 0.01


def read_exactly(size: int) -> bytes:
    """Read bytes of standard input; fewer at its end."""
    return sys.stdin.buffer.read(size)


def unpack(archive: bytes) -> dict[str, bytes]:
    """The files of an archive, by their relative paths."""
    files = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for entry in tar:
            content = tar.extractfile(entry)
            if content is None or entry.name.startswith("/") or ".." in entry.name.split("/"):
                raise ValueError(f"{entry.name} is not a file of the service")
            files[entry.name] = content.read()
    return files


def update(folder: Path, files: dict[str, bytes]) -> int:
    """Write the files that differ, and delete those that are gone; returns their number."""
    record = folder / RECEIVED
    before = json.loads(record.read_text()) if record.exists() else []
    changed = 0
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name("." + path.name + ".partial")
            partial.write_bytes(content)
            partial.replace(path)
            changed += 1
    for name in set(before) - files.keys():
        (folder / name).unlink(missing_ok=True)
        changed += 1
    record.write_text(json.dumps(sorted(files)))
    return changed


def state_of(folder: Path) -> dict[str, Any]:
    """The state of the service's process; empty before its start."""
    path = folder / STATE
    return json.loads(path.read_text()) if path.exists() else {}


def restart(folder: Path, port: int) -> dict[str, Any]:
    """Start the service again, and wait until it listens or has ended."""
    before, deadline = state_of(folder), time.monotonic() + LISTEN_S
    os.kill(1, signal.SIGHUP)
    while time.monotonic() < deadline:
        state = state_of(folder)
        if state != before and state.get("exit") is not None and not state["pid"]:
            return {"state": "ended", "exit": state["exit"]}
        if state.get("pid") and state["pid"] != before.get("pid") and is_listening(port):
            return {"state": "listening"}
        time.sleep(PAUSE_S)
    return {"state": "silent"}


def is_listening(port: int) -> bool:
    """Whether the service accepts connections."""
    try:
        socket.create_connection(("localhost", port), timeout=1).close()
    except OSError:
        return False
    return True


def main(folder: Path, port: int) -> None:
    """Receive files until standard input ends."""
    while header := read_exactly(8):
        files = unpack(read_exactly(int.from_bytes(header, "big")))
        answer = {"changed": update(folder, files), "state": "written"}
        if answer["changed"] and port:
            answer |= restart(folder, port)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
