"""Serves moto over TLS on loopback: `moto_server.py PORT CERTIFICATE KEY`."""

from __future__ import annotations

import contextlib
import sys

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import run_simple

# How long the client may take to confirm the end of a connection, seconds.
END_S = 5.0


class Handler(MotoRequestHandler):
    """Ends each connection as TLS requires; pgBackRest takes any other end for a fault."""

    def finish(self) -> None:
        """Send what is left, and the end of TLS."""
        super().finish()
        with contextlib.suppress(OSError):  # the client has closed it
            self.connection.settimeout(END_S)
            self.connection.unwrap()


def main(port: str, certificate: str, key: str) -> None:
    """Serve until the process is stopped."""
    application = DomainDispatcherApplication(create_backend_app)
    run_simple(
        "127.0.0.1",
        int(port),
        application,
        threaded=True,
        ssl_context=(certificate, key),
        request_handler=Handler,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
