"""Helm's records of a release: read, annotated, kept within limits."""
