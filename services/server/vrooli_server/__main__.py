"""``python -m vrooli_server``: serve on ``PORT``, 5329 without it."""

from vrooli_server.app import create_app
from vrooli_shared import logs, settings, web

if __name__ == "__main__":
    found = settings.read()
    logs.configure(found.log_level)
    web.serve(create_app(found), found.port or 5329)
