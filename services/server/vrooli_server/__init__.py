"""The API server: posts, their pictures and their live state."""
