"""What the server and the jobs share: settings, database, Redis, queue, posts, health.

It may access PostgreSQL and Redis only. Routes and jobs belong in the services.
"""

__version__ = "0.1.0"
