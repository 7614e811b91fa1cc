"""Writes diagrams as Mermaid, SVG and HTML, and serves the live page.

Nothing here reads a cluster.
"""
