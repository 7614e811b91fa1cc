"""The chart in tests: rendering, the values schema, network policies and diagrams."""
