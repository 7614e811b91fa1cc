"""Writes built images to OCI archives: for a cluster to load, and under the names of a registry."""
