"""The state of nodes and connections in a running cluster."""
