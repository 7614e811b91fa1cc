"""An editor attaches to a service that runs on this host, and stops it at a breakpoint."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from vrooli.development import debugged, host_services

PROGRAM = """
import time
while True:
    time.sleep(0.05)  # line 4
"""


class Editor:
    """A client of the Debug Adapter Protocol."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._number = reader, writer, 0

    def send(self, command: str, **arguments: Any) -> None:
        """Send a request."""
        self._number += 1
        request = {"seq": self._number, "type": "request", "command": command}
        body = json.dumps(request | {"arguments": arguments}).encode()
        self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    async def close(self) -> None:
        """End the connection."""
        self._writer.close()
        await self._writer.wait_closed()

    async def until_event(self, name: str) -> dict[str, Any]:
        """The next event of that name."""
        while True:
            header = await self._reader.readuntil(b"\r\n\r\n")
            message = json.loads(await self._reader.readexactly(int(header.split(b":")[1])))
            if message.get("event") == name:
                return dict(message["body"]) if "body" in message else {}


async def connect(port: int) -> Editor:
    """Connect as soon as the debugger listens."""
    while True:
        try:
            return Editor(*await asyncio.open_connection("127.0.0.1", port))
        except OSError:
            await asyncio.sleep(0.05)


@pytest.mark.anyio
async def test_an_editor_stops_a_running_service(tmp_path: Path) -> None:
    source = tmp_path / "looping.py"
    source.write_text(PROGRAM)
    port = host_services.free_port(0)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-Xfrozen_modules=off", debugged.__file__, str(port), "looping"),
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    try:
        async with asyncio.timeout(60):
            editor = await connect(port)
            editor.send("initialize", adapterID="test")
            editor.send("attach", justMyCode=False)
            await editor.until_event("initialized")
            lines = [{"line": 4}]
            editor.send("setBreakpoints", source={"path": str(source)}, breakpoints=lines)
            editor.send("configurationDone")
            assert (await editor.until_event("stopped"))["reason"] == "breakpoint"
            await editor.close()
    finally:
        process.kill()
        await process.wait()
