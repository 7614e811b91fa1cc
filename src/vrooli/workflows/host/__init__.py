"""Preparation of this machine: Debian packages, programs and images.

Nothing here depends on releases or on the cluster's objects.
"""
