"""The programs in pods: a service starts again with its edited files, or waits for an edit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from vrooli.development.pod_programs import receiver
from vrooli.development.synchronizer import pack

PROGRAMS = Path(receiver.__file__).parent
# A service that writes its name and its process, and runs until it is stopped.
SERVICE = """
import os, signal, sys
from pathlib import Path
import json.decoder
Path({log!r}).open("a").write({text!r} + f" {{os.getpid()}}\\n")
signal.pause()
"""


@contextmanager
def supervised(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A supervisor of the package `service`, whose image writes "image"."""
    edited, image = tmp_path / "edited", tmp_path / "image"
    write_service(image, tmp_path, "image")
    edited.mkdir()
    words = [str(PROGRAMS / "supervisor.py"), str(edited), str(image), "service"]
    environment = {**os.environ, "PYTHONPATH": str(image), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen([sys.executable, *words], env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def write_service(folder: Path, tmp_path: Path, text: str) -> None:
    package = folder / "service"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__main__.py").write_text(SERVICE.format(log=str(tmp_path / "log"), text=text))


def lines(tmp_path: Path) -> list[str]:
    log = tmp_path / "log"
    return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []


def state(tmp_path: Path) -> dict[str, int | None]:
    path = tmp_path / "edited" / receiver.STATE
    return dict(json.loads(path.read_text())) if path.exists() else {}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_service_starts_again_with_its_edited_files(tmp_path: Path) -> None:
    with supervised(tmp_path) as process:
        until(lambda: lines(tmp_path) == ["image"])
        write_service(tmp_path / "edited", tmp_path, "edited")
        process.send_signal(signal.SIGHUP)
        until(lambda: lines(tmp_path) == ["image", "edited"])
        process.terminate()
        assert process.wait(5) == 128 + signal.SIGTERM


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a process of its parent's end"
)
def test_a_service_ends_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with supervised(tmp_path) as process:
        until(lambda: lines(tmp_path) == ["image"])
        pid = int((tmp_path / "log").read_text().split()[1])
        process.kill()
        process.wait(5)
        until(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    """Whether a process runs; one that nobody has collected yet does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_service_with_a_fault_waits_for_the_next_edit(tmp_path: Path) -> None:
    with supervised(tmp_path) as process:
        until(lambda: lines(tmp_path) == ["image"])
        write_service(tmp_path / "edited", tmp_path, "edited")
        main = tmp_path / "edited/service/__main__.py"
        main.write_text("x = (\n")
        process.send_signal(signal.SIGHUP)
        until(lambda: state(tmp_path) == {"pid": 0, "exit": 1})
        assert process.poll() is None
        write_service(tmp_path / "edited", tmp_path, "corrected")
        process.send_signal(signal.SIGHUP)
        until(lambda: lines(tmp_path) == ["image", "corrected"])
        process.terminate()
        assert process.wait(5) == 128 + signal.SIGTERM


def test_files_of_a_folder_become_equal_to_those_that_were_sent(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "package").mkdir(parents=True)
    target.mkdir()
    (target / "vite-cache").write_text("kept")
    first, second = source / "package/a.py", source / "package/b.py"
    first.write_text("a = 1\n")
    second.write_text("b = 1\n")
    changed = []
    for files in ((first, second), (first, second), (first,)):
        message = pack({f"package/{path.name}": path for path in files})
        assert int.from_bytes(message[:8], "big") == len(message) - 8
        changed.append(receiver.update(target, receiver.unpack(message[8:])))
    assert changed == [2, 0, 1]
    assert (target / "package/a.py").read_text() == "a = 1\n"
    assert not (target / "package/b.py").exists()
    assert (target / "vite-cache").read_text() == "kept"


@pytest.mark.parametrize("name", ["../a.py", "/etc/passwd", "a/../../b"])
def test_files_outside_of_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    with pytest.raises(ValueError, match="not a file of the service"):
        receiver.unpack(pack({name: tmp_path / "a.py"})[8:])


@pytest.mark.parametrize("program", ["receiver", "supervisor"])
def test_the_source_of_a_program_can_be_the_argument_of_a_pod(program: str) -> None:
    source = (PROGRAMS / f"{program}.py").read_text()
    assert source.isascii()
    assert "$(" not in source  # Kubernetes replaces these with variables


def test_the_receiver_answers_each_message_with_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    target = tmp_path / "target"
    target.mkdir()
    message = pack({"a.py": tmp_path / "a.py"})
    words = [sys.executable, str(PROGRAMS / "receiver.py"), str(target), "0"]
    done = subprocess.run(words, input=message * 2, capture_output=True, check=True, timeout=120)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"changed": 1, "state": "written"},
        {"changed": 0, "state": "written"},
    ]
