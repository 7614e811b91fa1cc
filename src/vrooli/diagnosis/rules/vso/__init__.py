"""Rules about the Vault Secrets Operator. No I/O."""
