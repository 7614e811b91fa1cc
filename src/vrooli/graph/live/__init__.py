"""The state of connections in a running cluster.

Only fetch and watcher do I/O; the other modules are pure functions of a snapshot.
"""
