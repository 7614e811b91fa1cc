"""Facts for the graph, read from rendered manifests. No I/O."""
