"""The pictures of a release: drawn once, or live in a browser."""
