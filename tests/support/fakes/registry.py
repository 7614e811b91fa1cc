"""A small OCI registry on the loopback: as much of the distribution specification as a push needs.

It refuses what it doesn't know, and content that isn't as its digest says.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, urlsplit

BLOB = re.compile(r"/v2/(.+)/blobs/(sha256:[0-9a-f]{64})")
UPLOADS = re.compile(r"/v2/(.+)/blobs/uploads/")
UPLOAD = re.compile(r"/v2/(.+)/blobs/uploads/([0-9]+)")
MANIFEST = re.compile(r"/v2/(.+)/manifests/(.+)")
OCI = "application/vnd.oci.image.manifest.v1+json"


def digest_of(content: bytes) -> str:
    """The digest that a registry gives content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Registry(ThreadingHTTPServer):
    """What was pushed: blobs by digest, manifests by name and tag or digest."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[tuple[str, str], bytes] = {}
        self.types: dict[str, str] = {}
        self.uploads: dict[str, bytes] = {}
        self.numbers = count(1)


@contextmanager
def serve() -> Iterator[Registry]:
    """A registry for as long as it is needed."""
    with Registry() as registry:
        thread = threading.Thread(target=registry.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield registry
        finally:
            registry.shutdown()
            thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    server: Registry
    protocol_version = "HTTP/1.1"

    def log_message(self, *words: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/v2/":
            return self._answer(200)
        blob, manifest = BLOB.fullmatch(path), MANIFEST.fullmatch(path)
        content = self.server.blobs.get(blob[2]) if blob else None
        if manifest:
            content = self.server.manifests.get((manifest[1], manifest[2]))
        return self._answer(404) if content is None else self._answer(200, content)

    def do_POST(self) -> None:
        self._body()
        result = UPLOADS.fullmatch(urlsplit(self.path).path)
        if result is None:
            return self._answer(404)
        place = f"/v2/{result[1]}/blobs/uploads/{next(self.server.numbers)}"
        self.server.uploads[place] = b""
        return self._answer(202, Location=place)

    def do_PATCH(self) -> None:
        content, path = self._body(), urlsplit(self.path).path
        if path not in self.server.uploads:
            return self._answer(404)
        self.server.uploads[path] += content
        return self._answer(202, Location=path)

    def do_PUT(self) -> None:
        content, parts = self._body(), urlsplit(self.path)
        manifest = MANIFEST.fullmatch(parts.path)
        if UPLOAD.fullmatch(parts.path):
            content = self.server.uploads.pop(parts.path, b"") + content
        digest = digest_of(content)
        if manifest:
            self.server.types[digest] = self.headers.get("Content-Type") or OCI
            self.server.manifests |= {
                (manifest[1], manifest[2]): content,
                (manifest[1], digest): content,
            }
        elif UPLOAD.fullmatch(parts.path) and parse_qs(parts.query)["digest"] == [digest]:
            self.server.blobs[digest] = content
        else:
            return self._answer(400)
        headers = {"Docker-Content-Digest": digest}
        return self._answer(201, b"", Location=parts.path, **headers)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        result = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            result += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return result

    def _answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if content:
            digest = digest_of(content)
            self.send_header("Docker-Content-Digest", digest)
            self.send_header("Content-Type", self.server.types.get(digest, OCI))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
