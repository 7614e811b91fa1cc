"""Vault: the development server as a pod, and the policies, role and secrets that Vrooli needs.

Production brings its own Vault; `configure` works on any that lets us log in. `address.py` says
which Vaults are in the cluster, `server.py` runs the development server, and `client.py` is the
only user of Vault's own client library. Nothing of the Vault Secrets Operator belongs here.
"""

from vrooli.vault.client import VaultClient
from vrooli.vault.configuration import configure
from vrooli.vault.server import IMAGE, ensure, status

__all__ = ["IMAGE", "VaultClient", "configure", "ensure", "status"]
