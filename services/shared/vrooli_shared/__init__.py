"""What the server and the jobs share: settings, database, Redis, queue, posts, health.

It may reach Postgres and Redis, and nothing else; neither service's own routes or jobs belong here.
"""

__version__ = "0.1.0"
