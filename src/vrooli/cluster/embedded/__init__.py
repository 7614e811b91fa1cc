"""A real Kubernetes on a Linux host, without Docker. Knows nothing of Vrooli."""
