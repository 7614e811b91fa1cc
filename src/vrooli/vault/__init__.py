"""The Vault of development: its server, policies, role and secrets."""
