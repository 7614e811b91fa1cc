"""Helm's records of a release: one reader, the metadata that vrooli adds, and their retention.

Everything here reads and writes Helm's Secrets through ``vrooli.kube``. Calls of the Helm engine
and anything about the state of pods do not belong here.
"""
