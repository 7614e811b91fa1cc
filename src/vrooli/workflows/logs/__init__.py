"""The logs of a release: streams of its pods, and lines as people read them."""
