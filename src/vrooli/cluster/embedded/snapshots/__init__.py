"""Snapshots of a cluster: its objects, volumes and images at one moment, and what is made of them.

The caller holds the cluster's lock. A snapshot is not changed after it was made.
"""
