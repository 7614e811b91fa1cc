"""Runs a program that is stopped when its parent process ends, even if that is killed (Linux).

Arguments: the program and its arguments.
"""

import ctypes
import os
import signal
import sys

# From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Become the program."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.execvp(argv[0], argv)  # noqa: S606 - it replaces this process


if __name__ == "__main__":
    main(sys.argv[1:])
