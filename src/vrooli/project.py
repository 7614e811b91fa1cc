"""Where things are: the repository, the caches that can be made again, the state that can't."""

from __future__ import annotations

import os
from pathlib import Path

# An ordinary user's PATH often lacks some of these folders, and a service's too.
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


def root() -> Path:
    """The repository's folder; ``VROOLI_ROOT`` names another (for an installed package)."""
    path = os.environ.get("VROOLI_ROOT")
    return Path(path).resolve() if path else Path(__file__).resolve().parents[2]


def cache_dir() -> Path:
    """Where programs and images are kept; all of it can be made again."""
    path = os.environ.get("VROOLI_CACHE_DIR")
    return Path(path) if path else Path.home() / ".cache" / "vrooli"


def state_dir() -> Path:
    """Where the clusters' data are kept; losing it loses them."""
    path = os.environ.get("VROOLI_STATE_DIR")
    return Path(path) if path else Path.home() / ".local" / "share" / "vrooli"


def version() -> str:
    """The project's version, from its package metadata."""
    # Imported here: it takes longer than most commands' start.
    from importlib.metadata import version as distribution_version  # noqa: PLC0415

    return distribution_version("vrooli")


def chart_dir() -> Path:
    """The Helm chart's folder."""
    return root() / "k8s" / "chart"


def policies_dir() -> Path:
    """The folder of the five Vault policies."""
    return root() / "k8s" / "dev-support" / "vault-policies"
