"""Whether there is room for a second copy of the data, before it is made."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from vrooli.backups.info import StoredBackup
from vrooli.databases.postgres import disk
from vrooli.databases.postgres.session import Postgres
from vrooli.errors import PrerequisiteError, VrooliError
from vrooli.grammar import format_bytes
from vrooli.kube import ApiError
from vrooli.kube.objects import labels, name, text
from vrooli.operators.pgo import names

# Provisioners whose volumes are folders of the node's disk, without a size of their own.
SHARED_DISK = ("rancher.io/local-path", "k8s.io/minikube-hostpath", "microk8s.io/hostpath")
# WAL of the copy beside its data, bytes: max_wal_size of PostgreSQL.
WAL = 1024**3


async def check(postgres: Postgres, backup: StoredBackup) -> str:
    """Check that a copy of a backup fits on the disk; returns what is free, in words.

    Volumes of other provisioners have the size that they ask for. Without the permission to read
    storage classes, volumes count as folders of one disk.

    Raises:
        PrerequisiteError: It does not fit.
    """
    unread = ""
    try:
        if not await _shares_disk(postgres):
            return "each volume has its own space"
    except ApiError as error:
        if not error.is_forbidden:
            raise
        unread = f" If each volume has its own space: {error.advice}"
    instances = await postgres.instances()
    free = await _free(postgres, [item.pod for item in instances])
    if free is None:
        return "the free space is unknown"
    # Its first backup is as large as the one that it was restored from.
    required = (backup.size + WAL) * max(len(instances), 1) + backup.stored
    if free < required:
        raise PrerequisiteError(
            f"There is no room for the restored copy: it takes up to {required} bytes "
            f"({format_bytes(required)}), {free} bytes ({format_bytes(free)}) are free.",
            f"Free space on the disk of the volumes. Nothing was changed.{unread}",
        )
    return f"{format_bytes(required)} required, {format_bytes(free)} free"


async def _free(postgres: Postgres, pods: Sequence[str]) -> int | None:
    """The free bytes of the disk; the primary may have failed, so any instance is asked."""
    for pod in pods:
        with contextlib.suppress(VrooliError):
            return await disk.free_bytes(postgres, pod)
    return None


async def _shares_disk(postgres: Postgres) -> bool:
    claims = await postgres.kube.list("v1", "PersistentVolumeClaim", postgres.namespace)
    own = [item for item in claims if labels(item).get(names.CLUSTER_LABEL) == postgres.name]
    classes = {text(item, "spec", "storageClassName") for item in own}
    storage_classes = await postgres.kube.list("storage.k8s.io/v1", "StorageClass")
    return any(
        text(item, "provisioner") in SHARED_DISK
        for item in storage_classes
        if name(item) in classes
    )
