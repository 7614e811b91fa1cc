"""PGO, the PostgreSQL operator: its install, its names, and when a PostgresCluster is ready.

All that is specific to this operator belongs here, and nothing of the other operators or of
Vrooli's chart. Only `install` and `seccomp` do I/O.
"""
