"""The diagrams of the specification: which nodes and arrows each has. No I/O."""
