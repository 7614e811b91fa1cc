"""The graph of a release: its components, their connections and the flow of secrets.

Read from manifests and, live, from a cluster; written as mermaid, SVG and one page.
"""
