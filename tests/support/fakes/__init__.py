"""In-memory replacements of foreign services."""
