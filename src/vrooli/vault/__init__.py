"""Vault: the development server as a pod, and the policies, role and secrets that Vrooli needs.

Production uses an existing Vault; `configure` works with any Vault that accepts the login.
`address.py` determines which Vaults are in the cluster, `server.py` runs the development server,
and `client.py` is the client, on top of `key_values.py` (secrets) and `calls.py` (connections and
errors). The Vault Secrets Operator is not here.
"""

from vrooli.vault.client import VaultClient
from vrooli.vault.configuration import configure
from vrooli.vault.server import IMAGE, ensure, status

__all__ = ["IMAGE", "VaultClient", "configure", "ensure", "status"]
