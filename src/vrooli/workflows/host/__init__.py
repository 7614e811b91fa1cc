"""Preparation of this machine: Debian packages, programs and images.

Nothing here knows of releases or of the cluster's objects.
"""
