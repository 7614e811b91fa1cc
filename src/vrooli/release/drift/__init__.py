"""Differences between a release's manifests, Helm's record and the cluster.

Nothing here changes an object, except the field owners that server-side apply requires.
"""
