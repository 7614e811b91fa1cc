"""The diagrams of the specification: their nodes and connections. No I/O."""
