"""``python -m vrooli_detector``: load the model, then serve on ``PORT`` (default 8000)."""

import uvicorn

from vrooli_detector.app import create_app
from vrooli_detector.model import LABELS
from vrooli_detector.verdict import read_settings

if __name__ == "__main__":
    settings = read_settings(LABELS)
    uvicorn.run(
        create_app(settings),
        host="",  # IPv4 and IPv6: a pod may have either; the network policy restricts access
        port=settings.port,
        timeout_graceful_shutdown=20,
        timeout_keep_alive=120,  # longer than the keep-alive of clients
        server_header=False,
    )
