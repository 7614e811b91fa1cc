"""Rules about Vault. No I/O."""
