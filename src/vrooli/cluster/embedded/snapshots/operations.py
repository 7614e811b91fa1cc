"""What can be done with the snapshots of a cluster, each under the cluster's lock."""

from __future__ import annotations

from collections.abc import Mapping

from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.locks import locked
from vrooli.cluster.embedded.snapshots import create, fork, restore, store
from vrooli.cluster.embedded.snapshots.store import Snapshot
from vrooli.events import Progress
from vrooli.steps import Done


class Snapshots:
    """The snapshots of one cluster."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def list(self) -> list[Snapshot]:
        """All of them, oldest first."""
        return store.list_snapshots(self._layout)

    def find(self, name: str) -> Snapshot:
        """The snapshot of that name.

        Raises:
            UsageError: There is none.
        """
        return store.find(self._layout, name)

    async def create(self, name: str, progress: Progress) -> Snapshot:
        """Make a snapshot; if it runs, it is frozen for a moment.

        Raises:
            UsageError: The name is invalid, or a snapshot has it.
            PrerequisiteError: The cluster does not exist, or there is not enough space.
        """
        with locked(self._layout):
            return await create.create(self._layout, name, progress)

    async def delete(self, name: str) -> Done:
        """Delete a snapshot.

        Raises:
            UsageError: There is none of that name.
        """
        with locked(self._layout):
            snapshot = store.find(self._layout, name)
            await store.remove(store.folder(self._layout) / snapshot.name)
            return Done(True, f"snapshot {name} is deleted")

    async def restore(self, name: str, progress: Progress) -> Done:
        """Replace its data by those of a snapshot; it is stopped then.

        Raises:
            UsageError: There is no snapshot of that name.
            PrerequisiteError: There is not enough space.
        """
        with locked(self._layout):
            return await restore.restore(self._layout, name, progress)

    async def finish_restore(self, *, succeeded: bool) -> None:
        """Remove the data before the last restore, or bring them back."""
        with locked(self._layout):
            if succeeded:
                await restore.finish(self._layout)
            else:
                await restore.undo(self._layout)

    async def fork(
        self, name: str, snapshot: str | None, ports: Mapping[str, int], progress: Progress
    ) -> Done:
        """Make a second, stopped cluster from a snapshot, or from this cluster as it is now.

        Raises:
            UsageError: The name is invalid or taken, or there is no such snapshot.
            PrerequisiteError: The cluster does not exist, or there is not enough space.
        """
        new = Layout.of(self._layout.root.parent.parent, name)
        with locked(self._layout), locked(new):
            return await fork.fork(self._layout, new, snapshot, ports, progress)
