"""The graph of a release: its components, their connections and the flow of secrets.

Built from manifests (manifests, diagrams), evaluated in a cluster (live), written as Mermaid, SVG
and HTML (render). Changes to a cluster do not belong here.
"""
