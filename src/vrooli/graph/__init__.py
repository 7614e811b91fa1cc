"""The graph: what a release consists of and who speaks with whom, as pictures.

Read from manifests and, live, from a cluster; written as mermaid, SVG and one page.
"""
