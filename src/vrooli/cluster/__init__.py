"""Clusters: one protocol and one implementation for each kind. No knowledge of Vrooli."""
