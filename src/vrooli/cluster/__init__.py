"""Clusters: one protocol, and one implementation for each kind. Nothing here depends on Vrooli."""
