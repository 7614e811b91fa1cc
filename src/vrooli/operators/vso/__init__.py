"""The Vault Secrets Operator: its install, its names, and when a VaultStaticSecret is ready.

All that is specific to this operator belongs here, and nothing of the other operators or of
Vrooli's chart. Vault itself is in `vrooli.vault`. Only `install` does I/O.
"""
