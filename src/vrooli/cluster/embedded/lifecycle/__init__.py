"""Starts, stops and deletes a cluster, and waits until it is ready.

These modules run in the process of the command. What runs inside the daemon is in supervisor.
"""
