"""Backups of a release: the points of a command, step by step."""
