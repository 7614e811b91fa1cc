"""The Redis operator of Spotahome: its install, its names, and when a RedisFailover is ready.

All that is specific to this operator belongs here, and nothing of the other operators or of
Vrooli's chart. Only `install` does I/O.
"""
