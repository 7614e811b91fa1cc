"""Checks of images: on the nodes, in registries, and their pull secret."""
