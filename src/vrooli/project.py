"""Paths: the repository, the caches (which can be recreated) and the state (which cannot)."""

from __future__ import annotations

import os
from pathlib import Path

# The PATH of a user or of a service often does not contain all of these folders.
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
# As in pyproject.toml. To read it from the metadata of the package takes a third of the time of
# `vrooli --version`.
_VERSION = "0.1.0"


def root() -> Path:
    """The repository's folder; ``VROOLI_ROOT`` overrides it (for an installed package)."""
    path = os.environ.get("VROOLI_ROOT")
    return Path(path).resolve() if path else Path(__file__).resolve().parents[2]


def cache_dir() -> Path:
    """The folder of programs and images; all of it can be recreated."""
    path = os.environ.get("VROOLI_CACHE_DIR")
    return Path(path) if path else Path.home() / ".cache" / "vrooli"


def state_dir() -> Path:
    """The folder of the clusters' data; deleting it deletes them."""
    path = os.environ.get("VROOLI_STATE_DIR")
    return Path(path) if path else Path.home() / ".local" / "share" / "vrooli"


def version() -> str:
    """The project's version."""
    return _VERSION


def chart_dir() -> Path:
    """The Helm chart's folder."""
    return root() / "k8s" / "chart"


def artifacts_dir() -> Path:
    """The default folder of artifacts."""
    return root() / "build_output"


def policies_dir() -> Path:
    """The folder of the five Vault policies."""
    return root() / "k8s" / "dev-support" / "vault-policies"


def users_kubeconfig() -> Path:
    """The file that kubectl would write to: the first of KUBECONFIG, else ~/.kube/config."""
    first = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(first) if first else Path.home() / ".kube" / "config"
