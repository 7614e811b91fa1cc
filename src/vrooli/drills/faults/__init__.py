"""The faults: each plans an injection for a release, or says why it does not apply.

Belongs here: what is faulted, how it is put back, and when it counts as healed.
Does not belong here: measurements and limits.
"""
