"""Runs a Python module as `python -m` does, with a debugger that editors attach to.

The debugger listens only when the module has started: before that, it would double the time that
an edit takes. Arguments: the port of the debugger on the loopback interface, and the module.
"""

import runpy
import sys
import threading

# When the debugger starts, seconds: services have started by then on a machine that is not busy.
DELAY_S = 3.0


def listen(port: int) -> None:
    """Wait for editors, in the background."""
    import debugpy  # noqa: PLC0415 - it takes as long as the service's own imports

    debugpy.listen(("127.0.0.1", port))


def main(port: int, module: str) -> None:
    """Run the module in this process."""
    timer = threading.Timer(DELAY_S, listen, (port,))
    timer.daemon = True
    timer.start()
    sys.path.pop(0)  # the folder of this file
    sys.argv = sys.argv[:1]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
