"""Artifacts of a build: values, images and their bills of materials, and what one contains."""
