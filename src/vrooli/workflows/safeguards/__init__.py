"""Safeguards of changes to a release: requirements, confirmation, interruption, outages.

Everything here reads the cluster and refuses or asks, or reports what an interrupted change has
done. Only the end of an interrupted change may change it, by a rollback that the user confirms.
"""
