"""Builds images: decides which are out of date, runs their builds, and prunes the store.

The command lines of the builder programs belong in builders.
"""
