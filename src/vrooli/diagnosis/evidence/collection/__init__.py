"""Collect the evidence of a release from the cluster."""
