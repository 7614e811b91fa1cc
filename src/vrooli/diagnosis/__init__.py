"""The diagnosis: evidence that is collected once, and a rule for each symptom.

A rule reads evidence and yields findings; it does no I/O.
"""
