"""The graph's facts, read from rendered manifests. No I/O."""
