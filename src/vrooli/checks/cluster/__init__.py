"""Checks of the API server: version, kinds, permissions, admission, the namespace."""
