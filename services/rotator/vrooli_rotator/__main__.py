"""``python -m vrooli_rotator``: rotate, and answer probes on ``PORT``, 8080 without it."""

from vrooli_rotator.app import create_app
from vrooli_rotator.settings import Settings
from vrooli_shared import logs, web

if __name__ == "__main__":
    settings = Settings()
    logs.configure(settings.log_level)
    web.serve(create_app(settings), settings.port)
