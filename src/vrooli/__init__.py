"""Builds, deploys and diagnoses Vrooli on Kubernetes."""
