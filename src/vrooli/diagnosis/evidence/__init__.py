"""The evidence of a diagnosis: objects, events, logs and probe results of one moment.

collection/ and probes/ ask the cluster; components/ and the modules here describe what was read
and do no I/O. No rules and no remediation.
"""
