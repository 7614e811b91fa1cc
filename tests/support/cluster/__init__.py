"""Real clusters of tests: the live release, API servers, workloads and host footprint."""
