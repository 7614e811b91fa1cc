"""``python -m vrooli_server``: serve on ``PORT`` (default 5329)."""

from vrooli_server.app import create_app
from vrooli_shared import logs, settings, web

if __name__ == "__main__":
    configuration = settings.read()
    logs.configure(configuration.log_level)
    port = configuration.port or 5329
    web.serve(create_app(configuration), port, configuration.listen_address)
