"""Rules about nodes, quotas, volumes and the API server. No I/O."""
