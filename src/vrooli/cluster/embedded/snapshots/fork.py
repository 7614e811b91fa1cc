"""Makes a second cluster from the data of one: with its own name, ports, addresses and keys.

The name of the node and the path of the volumes are stored in objects that cannot be changed. A
fork keeps both: its kubelet registers under that name, and in its mount namespace its own volumes
appear at that path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vrooli.cluster.embedded.components.api_policies import ENCRYPTION_KEY
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.network import forwarder
from vrooli.cluster.embedded.settings import DEFAULT_PORTS, UNASSIGNED, Record
from vrooli.cluster.embedded.snapshots import copying, create, store
from vrooli.cluster.embedded.snapshots.restore import copy_snapshot
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Progress
from vrooli.steps import Done

# The key of the stored Secrets and ConfigMaps, which cannot be read without it. All other keys,
# certificates and authorities are made anew, so that neither cluster accepts what the other issues.
INHERITED = (ENCRYPTION_KEY,)


async def fork(
    layout: Layout, new: Layout, snapshot: str | None, ports: Mapping[str, int], progress: Progress
) -> Done:
    """Make a new, stopped cluster from a snapshot, or from a cluster as it is now.

    The caller holds the locks of both clusters.

    Raises:
        UsageError: The new cluster exists, or there is no such snapshot.
        PrerequisiteError: There is not enough space, or a port is in use.
    """
    if new.root.exists():
        raise UsageError(
            f"There is a cluster {new.name} already.",
            f"Use another name, or delete it: `vrooli cluster delete {new.name}`.",
        )
    place = store.create_folder(layout)
    part = place / store.PART
    await store.remove(part)
    try:
        if snapshot is None:
            await create.copy_moment(layout, part, progress)
        else:
            source = store.find(layout, snapshot)
            store.require_space(place, source.size_bytes, "The fork")
            progress.report("Copying the snapshot")
            await copy_snapshot(place / snapshot, part)
            await copying.copy([place / snapshot / layout.record.name], part)
        _become(part, layout, ports)
        part.rename(new.root)
    except BaseException:
        await store.remove(part)
        raise
    return Done(True, f"{new.name} is a fork of {layout.name}")


def _become(folder: Path, origin: Layout, ports: Mapping[str, int]) -> None:
    """Give the copied data of a cluster an identity of its own."""
    path = folder / origin.record.name
    record = Record.read(path)
    if record is None:
        raise PrerequisiteError(f"{path} is missing.")
    free = forwarder.claim({name: ports.get(name, 0) for name in DEFAULT_PORTS})
    node, volumes = record.node_name(origin), str(record.volumes_path(origin))
    changed = replace(record, index=UNASSIGNED, ports=free, node=node, volumes=volumes)
    changed.write(path)
    for file in (folder / "pki").iterdir():
        if file.name not in INHERITED:
            file.unlink()
