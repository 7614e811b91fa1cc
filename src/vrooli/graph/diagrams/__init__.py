"""The diagrams of the specification: nodes and arrows. Cluster access does not belong here."""
