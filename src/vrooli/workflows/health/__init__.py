"""Whether a release is healthy, and why not: status, watch and diagnose."""
