"""``python -m vrooli_jobs``: work, and answer probes on ``PORT``, 4001 without it."""

from vrooli_jobs.app import create_app
from vrooli_shared import logs, settings, web

if __name__ == "__main__":
    found = settings.read()
    logs.configure(found.log_level)
    web.serve(create_app(found), found.port or 4001)
