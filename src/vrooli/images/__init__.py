"""Container images: which there are, when they are built again, and by which builder."""
