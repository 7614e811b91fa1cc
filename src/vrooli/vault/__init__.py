"""Vault for development: OpenBao, its policies, the role of VSO and the five secrets.

Production brings its own Vault; ``configure`` works on any that answers and lets us in. What
runs in pods is in server.py, what is said to Vault's API goes through client.py alone.
"""

from vrooli.vault.client import VaultClient
from vrooli.vault.configuration import configure
from vrooli.vault.server import IMAGE, ensure, status

__all__ = ["IMAGE", "VaultClient", "configure", "ensure", "status"]
