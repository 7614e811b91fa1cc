"""Clusters: one protocol (interface.py), one file or package per kind. No knowledge of Vrooli."""
