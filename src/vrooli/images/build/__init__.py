"""Builds images: decides which are out of date, runs their builds, and prunes the store.

How one builder program is called belongs in builders.
"""
