"""Real programs on loopback: databases, Vault, the services, and their ports."""
