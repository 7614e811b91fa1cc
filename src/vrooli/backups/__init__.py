"""Backups of a release: points of PostgreSQL, Redis and Vault, and restores from them.

Belongs here: pgBackRest's repository, the dump of Redis, the record of a point, restored copies.
Does not belong here: sessions in the databases (``databases``), prompts, and the locks of commands.
"""
