"""Restores of a release: PostgreSQL, in place or as a copy, Redis, secrets, or a whole point."""
