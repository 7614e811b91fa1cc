"""A kubelet that runs no pods: it only serves their logs."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from support.programs.certificates import self_signed
from vrooli.kube import Kube

NODE = "told"


@contextmanager
def running(folder: Path, logs: Iterable[bytes]) -> Iterator[int]:
    """A server that returns these logs in order, for any request; yields its port."""
    message = iter(logs)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/plain")
            self.end_headers()
            self.wfile.write(next(message))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    certificate, key = folder / "kubelet.crt", folder / "kubelet.key"
    self_signed(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


async def join(kube: Kube, port: int, name: str = NODE) -> None:
    """Have a node of that name whose kubelet listens there."""
    await kube.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
    status = {
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
    }
    await kube.patch("v1", "Node", f"{name}/status", None, {"status": status})
