"""Differences between a release's manifests, Helm's record and the cluster."""
