"""A storage class whose volume has a real limit: a file system in memory, which can be expanded.

No provisioner on this machine has volumes that are bounded and expandable. What a provider's
storage does outside the cluster is done here: a larger request of a claim enlarges the file system,
then the capacity in the status of the claim.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from support.cluster.live import Live
from vrooli import process
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.locks import holder
from vrooli.kube import Kube, quantities
from vrooli.kube.objects import Body, name, text

CLASS = "bounded"
HOSTNAME = "kubernetes.io/hostname"
CLAIM, VOLUME = ("v1", "PersistentVolumeClaim"), ("v1", "PersistentVolume")
# The time limit of a program that changes a file system, seconds.
PROGRAM_S = 60.0
POLL_S = 1.0
_CLASS: Body = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": CLASS},
    "provisioner": "kubernetes.io/no-provisioner",
    "volumeBindingMode": "WaitForFirstConsumer",
    "allowVolumeExpansion": True,
}


@dataclass(frozen=True)
class BoundedVolume:
    """A volume of one node with a file system of its own.

    Attributes:
        name: The name of the PersistentVolume.
        folder: Where it is mounted.
        node: The process of the cluster in whose mount namespace it is mounted.
    """

    name: str
    folder: Path
    node: int

    @property
    def data(self) -> Path:
        """The directory of the volume, which exists only where the file system is mounted."""
        return self.folder / "data"

    async def create(self, size: str) -> None:
        """Mount the file system."""
        await self._run("mount", "-t", "tmpfs", "-o", _limit(size), "tmpfs", str(self.folder))
        await self._run("mkdir", str(self.data))

    async def expand(self, size: str) -> None:
        """Enlarge the file system."""
        await self._run("mount", "-o", f"remount,{_limit(size)}", str(self.folder))

    async def remove(self) -> None:
        """Unmount it; it ends with the last mount of it, which is that of a pod that ends."""
        await self._run("umount", "--lazy", str(self.folder))

    def body(self, size: str, node: str) -> Body:
        """Its PersistentVolume."""
        on_node = {"key": HOSTNAME, "operator": "In", "values": [node]}
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": self.name},
            "spec": {
                "capacity": {"storage": size},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": CLASS,
                "local": {"path": str(self.data)},
                "nodeAffinity": {
                    "required": {"nodeSelectorTerms": [{"matchExpressions": [on_node]}]}
                },
            },
        }

    async def _run(self, *argv: str) -> None:
        inside = ("nsenter", f"--target={self.node}", "--mount")
        await process.run([*inside, *argv], timeout_s=PROGRAM_S)


def _limit(size: str) -> str:
    """The option of a mount with this size."""
    return f"size={int(quantities.number(size))}"


@asynccontextmanager
async def bounded_volume(
    live: Live, namespace: str, folder: Path, size: str
) -> AsyncIterator[None]:
    """The class with one volume, which its claim can expand in the block.

    Args:
        live: The embedded cluster.
        namespace: The namespace of the claim.
        folder: Where it is mounted.
        size: The size of the volume.
    """
    node = holder(Layout(live.kubeconfig.parent).supervisor_lock)
    assert node is not None
    volume = BoundedVolume(namespace, folder, node)
    async with await Kube.connect(live.kubeconfig) as kube, contextlib.AsyncExitStack() as exits:
        await volume.create(size)
        exits.push_async_callback(volume.remove)
        (body, *_) = await kube.list("v1", "Node")
        for item in (_CLASS, volume.body(size, text(body, "metadata", "labels", HOSTNAME))):
            await kube.apply(item)
            place = (item["apiVersion"], item["kind"], item["metadata"]["name"])
            exits.push_async_callback(kube.delete, *place)
        async with asyncio.TaskGroup() as group:
            expanding = group.create_task(_expand(kube, namespace, volume))
            try:
                yield
            finally:
                expanding.cancel()


async def _expand(kube: Kube, namespace: str, volume: BoundedVolume) -> None:
    """Give the claim of a volume the size that it requests, until cancelled."""
    while True:
        for claim in await kube.list(*CLAIM, namespace):
            size = text(claim, "spec", "resources", "requests", "storage")
            current = text(claim, "status", "capacity", "storage")
            if text(claim, "spec", "volumeName") != volume.name or not current:
                continue
            if quantities.number(size) > quantities.number(current):
                await volume.expand(size)
                capacity = {"capacity": {"storage": size}}
                await kube.patch(*VOLUME, volume.name, None, {"spec": capacity})
                await kube.patch(*CLAIM, f"{name(claim)}/status", namespace, {"status": capacity})
        await asyncio.sleep(POLL_S)
