"""Ways into a release for people: programs in its pods, and its pages."""
