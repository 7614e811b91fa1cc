"""``python -m vrooli_jobs``: run the worker, and serve probes on ``PORT`` (default 4001)."""

from vrooli_jobs.app import create_app
from vrooli_shared import logs, settings, web

if __name__ == "__main__":
    configuration = settings.read()
    logs.configure(configuration.log_level)
    port = configuration.port or 4001
    web.serve(create_app(configuration), port, configuration.listen_address)
