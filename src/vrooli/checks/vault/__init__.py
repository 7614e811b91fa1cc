"""Checks of Vault: access, keys and policies."""
