"""Programs that run inside pods, from their source text, with Python's standard library only."""
