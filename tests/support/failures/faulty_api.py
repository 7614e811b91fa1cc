"""A proxy of an API server that modifies its responses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import yaml

NEVER = float("inf")
_PASSED = ("authorization", "accept", "content-type")


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        status: Its HTTP status.
        kind: Its content type.
        body: What it says.
        wait_s: How long it takes to begin; NEVER doesn't.
        cut: Whether the connection ends in its middle.
        headers: More headers.
        query: What the request asked for, beside its path.
    """

    status: int
    kind: str
    body: bytes
    wait_s: float = 0.0
    cut: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)


# From a request's path and the server's answer to the one that is given.
Change = Callable[[str, Answer], Answer]


@contextmanager
def way(
    kubeconfig: Path, folder: Path, change: Change, *, page: int | None = None
) -> Iterator[Path]:
    """A way to the API server of a kubeconfig; gives the way's own kubeconfig.

    Lists come in pages of at most ``page`` objects.
    """
    config = yaml.safe_load(kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    ended = threading.Event()
    with (
        httpx.Client(base_url=cluster["server"], verify=False, timeout=None) as client,  # noqa: S113, S501
        _Server(client, change, ended, page) as server,
    ):
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{server.server_port}"}
        path = folder / "faulty-kubeconfig"
        path.write_text(yaml.safe_dump(config))
        try:
            yield path
        finally:
            ended.set()
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, client: httpx.Client, change: Change, ended: threading.Event, page: int | None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.client, self.change, self.ended, self.page = client, change, ended, page

    def handle_error(self, *_: Any) -> None:
        """Clients that go away are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        requested = urlsplit(self.path)
        query = dict(parse_qsl(requested.query))
        if self.server.page and "limit" in query:
            query["limit"] = str(self.server.page)
        values = self.server.client.request(
            self.command,
            requested.path,
            params=query,
            content=content,
            headers={name: self.headers[name] for name in _PASSED if name in self.headers},
        )
        kind = values.headers.get("content-type", "")
        path = requested.path.rstrip("/")
        plain = Answer(values.status_code, kind, values.content, query=query)
        answer = self.server.change(path, plain)
        if self.server.ended.wait(None if answer.wait_s == NEVER else answer.wait_s):
            self.close_connection = True
            return
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("content-type", answer.kind)
        self.send_header("content-length", str(len(answer.body)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut else answer.body)
        self.close_connection = answer.cut

    do_GET = _answer  # noqa: N815 - the base class's names
    do_POST = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
