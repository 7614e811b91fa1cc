"""Checks of the nodes: capacity and GPUs."""
