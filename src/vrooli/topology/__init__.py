"""The architecture as a graph: from manifests, from the live cluster, to pictures of it."""
