"""Why isn't it healthy? Evidence that is collected once, and one small file for each rule.

A rule reads evidence and yields findings; it does no I/O.
"""
