"""Safeguards of changes to a release: requirements, confirmation, interruption.

Everything here reads the cluster and refuses or asks. Only the end of an interrupted change may
change it, by a rollback that the user confirms.
"""
