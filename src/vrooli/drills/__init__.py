"""Drills: faults that are injected into a running release, and what each of them costs.

Belongs here: the faults, the load and the writers that measure them, and the verdict.
Does not belong here: confirmations, locks of commands, and reports.
"""
