"""Faults of live releases and API servers, and the load during them."""
