"""Pushes the packaged chart to an OCI registry, with Helm's own client and its credentials."""

from __future__ import annotations

import re
from pathlib import Path

import helm_python

from vrooli.chart import engine
from vrooli.errors import UsageError, VrooliError

# A host, an optional port, and at least one path component: Helm requires a path to push to.
REMOTE = re.compile(r"oci://([a-zA-Z0-9.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?(/[a-zA-Z0-9._-]+)*/?")
# Registries on this machine use plain HTTP, as docker and containerd also assume.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def check_remote(remote: str) -> str:
    """Validate the registry path that a chart is pushed to.

    Raises:
        UsageError: It is not a path in an OCI registry.
    """
    if not REMOTE.fullmatch(remote):
        raise UsageError(
            f"{remote!r} is not a path in an OCI registry.",
            "Use oci://HOST/FOLDER, such as oci://registry.example.com/charts.",
        )
    return remote.rstrip("/")


def push(package: Path, remote: str) -> str:
    """Push a chart's package; the registry's tag is the chart's version.

    Args:
        package: The .tgz.
        remote: The path, such as oci://registry.example.com/charts.

    Returns:
        The reference of the chart with its digest: oci://host/folder/chart@sha256:….

    Raises:
        UsageError: The path or the package is invalid.
        VrooliError: The registry is unreachable or rejects the chart.
    """
    folder = check_remote(remote)
    name, version = engine.package_identity(package)
    chart = f"{folder}/{name}"
    host = REMOTE.fullmatch(folder)
    plain = host is not None and host[1] in LOOPBACK
    try:
        with helm_python.RegistryClient(plain_http=plain) as client:
            client.push(package, folder, plain_http=plain)
            # A tag cannot contain the "+" of a version: Helm writes "_".
            pushed = client.resolve(f"{chart}:{version.replace('+', '_')}")
    except helm_python.HelmError as error:
        raise VrooliError(
            f"The chart could not be pushed to {folder}: {error.detail}",
            "Check the address, and that helm or docker on this machine is logged in there.",
        ) from error
    return f"{chart}@{pushed['digest']}"
