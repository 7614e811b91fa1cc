"""Third-party programs: where each comes from, and how it gets into the cache."""
