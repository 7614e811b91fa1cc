"""The state of a diagram's nodes and arrows in a running cluster."""
