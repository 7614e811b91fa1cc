"""Following a release until it is ready, or until it is clear that it will not be."""
