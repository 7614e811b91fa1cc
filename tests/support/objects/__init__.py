"""Kubernetes objects of failure cases, built from a few arguments."""
