"""Runs a Python service, and starts it again on SIGHUP, from edited files before the image's.

Arguments: the folder of the edited files, the folder of the image's files (or several, with the
separator of paths), the service's module.

The packages of others are imported once, before the service's process is forked, so that a new
process starts in a fraction of a second. A process that ends soon after its start has a fault in
its source: the next SIGHUP, with the next edit, starts another one. A process that ends later ends
the container, as without this program, and Kubernetes starts it again.
"""

import ast
import ctypes
import importlib
import json
import os
import runpy
import signal
import sys
import time
import traceback
from pathlib import Path

# How long a process may finish its requests before the next one replaces it, seconds.
GRACE_S = 0.3
# A process that ends earlier than this has a fault in its source, seconds.
FAULT_S = 10.0
# The state of the process, for the receiver of files.
STATE = ".process.json"
# From <linux/prctl.h>: the signal that a process gets when its parent ends.
PR_SET_PDEATHSIG = 1
HANDLED = {signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}


def import_packages(*folders: Path) -> None:
    """Import the packages of others that the modules in folders import at their top level."""
    own = {path.name for folder in folders for path in folder.iterdir()}
    names = set()
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module)
    for name in sorted(names):
        if name.partition(".")[0] not in own:
            try:
                importlib.import_module(name)
            except Exception:  # noqa: BLE001 - any module may fail in any way
                # The service imports it again, and reports the error.
                sys.stderr.write(f"{name} can't be imported\n")


def run(module: str) -> int:
    """Run the service in this process, as `python -m` does; returns its exit code."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - as Python's own main program
        traceback.print_exc()
        return 1
    return 0


class Service:
    """The process of the service."""

    def __init__(self, folder: Path, module: str) -> None:
        self._folder, self._module = folder, module
        self._pid, self._began = 0, 0.0

    def start(self) -> None:
        """Start a process."""
        self._began = time.monotonic()
        self._pid = os.fork()
        if self._pid == 0:
            # If this program is killed, the service must not go on alone.
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
            code = run(self._module)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        self._save(None)

    def reap(self) -> int | None:
        """Collect ended processes; returns the service's exit code if it has ended.

        This is the container's first process: those without a parent are its own.
        """
        ended = None
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return ended
            if pid == 0:
                return ended
            if pid == self._pid:
                code = os.waitstatus_to_exitcode(status)
                ended = code if code >= 0 else 128 - code
                self._pid = 0

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        return self._pid != 0

    def is_faulty(self) -> bool:
        """Whether the process that has ended did so soon after its start."""
        return time.monotonic() - self._began < FAULT_S

    def save_end(self, code: int) -> None:
        """Save that the process has ended because of a fault, and not to be replaced."""
        sys.stderr.write(f"It ended with exit code {code}; it starts again with the next edit.\n")
        sys.stderr.flush()
        self._save(code)

    def replace(self) -> None:
        """Stop the process, and start another one."""
        self.signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        while self._pid and (rest := deadline - time.monotonic()) > 0:
            signal.sigtimedwait({signal.SIGCHLD}, rest)
            self.reap()
        self.signal(signal.SIGKILL)
        while self._pid:
            signal.sigwait({signal.SIGCHLD})
            self.reap()
        self.start()

    def signal(self, number: int) -> None:
        """Send a signal to the process, if there is one."""
        if self._pid:
            os.kill(self._pid, number)

    def _save(self, exit_code: int | None) -> None:
        state = {"pid": self._pid, "exit": exit_code}
        partial = self._folder / (STATE + ".partial")
        partial.write_text(json.dumps(state))
        partial.replace(self._folder / STATE)


def supervise(folder: Path, module: str) -> int:
    """Run the service until the container is stopped, or it ends; returns the exit code."""
    service, is_ending = Service(folder, module), False
    service.start()
    while True:
        number = signal.sigwait(HANDLED)
        if number == signal.SIGHUP:
            service.replace()
        elif number in (signal.SIGTERM, signal.SIGINT):
            is_ending = True
            service.signal(signal.SIGTERM)
        code = service.reap()
        if is_ending and not service.is_running:
            return code or 0
        if code is not None:
            if not service.is_faulty():
                return code
            service.save_end(code)


def main(edited: str, image: str, module: str) -> int:
    """Run the program."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    import_packages(*map(Path, image.split(os.pathsep)))
    # `-c` adds the working directory, the root of the image.
    sys.path[0] = edited
    return supervise(Path(edited), module)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
