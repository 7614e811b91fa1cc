"""Sockets in the network namespace of a cluster, created by a process outside it."""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.thread import BrokenThreadPool
from pathlib import Path

# setns(2), linux/sched.h. Python has os.setns from 3.12 on.
CLONE_NEWNET = 0x40000000


class SocketsInside:
    """Creates TCP sockets in a network namespace.

    A socket stays in the namespace of the thread that created it, so one thread enters the
    namespace, and the rest of the process uses its sockets.
    """

    def __init__(self, netns: Path) -> None:
        """Prepare to create sockets.

        Args:
            netns: The handle of the namespace.
        """
        self._thread = ThreadPoolExecutor(1, initializer=_enter, initargs=(netns,))

    async def create(self) -> socket.socket:
        """An unconnected socket in the namespace.

        Raises:
            OSError: The namespace does not exist, or too many files are open.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, socket.socket)
        except BrokenThreadPool as error:
            raise OSError("the cluster's network namespace can't be entered") from error

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False)


def _enter(netns: Path) -> None:
    """Move this thread, and only it, to the namespace."""
    descriptor = os.open(netns, os.O_RDONLY)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(descriptor, CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(netns))
    finally:
        os.close(descriptor)
