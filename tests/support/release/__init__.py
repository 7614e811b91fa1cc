"""Releases of tests: artifacts, Helm's records, production values and their databases."""
