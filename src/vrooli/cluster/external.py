"""Clusters that someone else's program runs: minikube, kind, and any kubeconfig context.

Each gets a kubeconfig file of its own with one context, so that nothing depends on which
context happens to be current.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from vrooli import process
from vrooli.cluster.interface import ClusterStatus
from vrooli.errors import PrerequisiteError, UsageError, VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube
from vrooli.steps import Done

# Limits of the programs that make clusters and load images, seconds.
START_S = 900.0
LOAD_S = 900.0


@dataclass(frozen=True)
class _External:
    """What the three kinds have in common.

    Attributes:
        name: The profile's, cluster's or context's name.
        folder: Where the cluster's own kubeconfig is kept.
    """

    name: str
    folder: Path
    kind: ClassVar[str]

    @property
    def kubeconfig(self) -> Path:
        """A file with this cluster's context alone; 0600."""
        return self.folder / "kubeconfig"

    async def images(self) -> frozenset[str]:
        """None: only the API tells of them."""
        return frozenset()

    def urls(self) -> dict[str, str]:
        """Nothing: such a cluster has its own ways in."""
        return {}

    async def status(self) -> ClusterStatus:
        """Running when its API server says that it is ready, else stopped.

        Raises:
            UsageError: There is no such context.
        """
        try:
            async with await self.connect() as kube:
                version = await kube.version()
        except UsageError:  # there is no such cluster
            raise
        except VrooliError:
            return ClusterStatus(self.name, self.kind, "stopped")
        return ClusterStatus(self.name, self.kind, "running", version)

    async def connect(self) -> Kube:
        """A client of its API, from its kubeconfig as it is now.

        Raises:
            UsageError: There is no such context.
            PrerequisiteError: It can't be reached.
        """
        try:
            await self._write_kubeconfig()
        except (UsageError, PrerequisiteError):
            raise
        except VrooliError as error:
            raise PrerequisiteError(
                f"There is no kubeconfig of {self.kind} {self.name}: {error.message}",
                f"See whether it runs, with {self.kind}'s own command.",
            ) from error
        return await Kube.connect(self.kubeconfig)

    async def _kubeconfig_text(self) -> str:
        raise NotImplementedError

    async def _write_kubeconfig(self) -> None:
        text = await self._kubeconfig_text()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(text)


@dataclass(frozen=True)
class ContextCluster(_External):
    """A context of the user's kubeconfig: a cluster that exists, and stays as it is."""

    kind: ClassVar[str] = "context"

    async def ensure_running(self, progress: Progress) -> Done:
        """See that it answers.

        Raises:
            UsageError: There is no such context.
            PrerequisiteError: It doesn't answer.
        """
        await self._write_kubeconfig()
        async with await Kube.connect(self.kubeconfig) as kube:
            return Done(changed=False, detail=f"Kubernetes {await kube.version()}")

    async def load_images(self, archive: Path, progress: Progress) -> Done:
        """Not possible: such a cluster pulls its images.

        Raises:
            PrerequisiteError: Always.
        """
        raise PrerequisiteError(
            f"Images can't be loaded into the cluster of context {self.name!r}: it pulls them.",
            "Push them to the registry that `image.registry` names, "
            "or choose --cluster embedded, minikube or kind.",
        )

    async def _kubeconfig_text(self) -> str:
        argv = ["kubectl", "config", "view", "--minify", "--flatten", "--context", self.name]
        result = await process.run(argv, check=False)
        if result.status != 0:
            raise UsageError(
                f"The kubeconfig has no context {self.name!r}: {result.log.strip()}",
                "`kubectl config get-contexts` lists those it has.",
            )
        return result.output


@dataclass(frozen=True)
class MinikubeCluster(_External):
    """A minikube profile."""

    kind: ClassVar[str] = "minikube"

    async def ensure_running(self, progress: Progress) -> Done:
        """Start the profile unless it runs."""
        if self.name in await running_minikube_profiles():
            await self._write_kubeconfig()
            return Done(changed=False, detail="runs")
        progress.report(f"minikube start --profile {self.name}")
        await process.run(["minikube", "start", "--profile", self.name], timeout_s=START_S)
        await self._write_kubeconfig()
        return Done(changed=True, detail="started")

    async def load_images(self, archive: Path, progress: Progress) -> Done:
        """Load an archive with minikube's own command."""
        argv = ["minikube", "image", "load", str(archive), "--profile", self.name]
        await process.run(argv, timeout_s=LOAD_S)
        return Done(changed=True, detail=archive.name)

    async def _kubeconfig_text(self) -> str:
        # minikube names a profile's context after it.
        argv = ["kubectl", "config", "view", "--minify", "--flatten", "--context", self.name]
        return (await process.run(argv)).output


@dataclass(frozen=True)
class KindCluster(_External):
    """A cluster of kind."""

    kind: ClassVar[str] = "kind"

    async def ensure_running(self, progress: Progress) -> Done:
        """Create the cluster unless there is one of its name."""
        listing = await process.run(["kind", "get", "clusters"])
        exists = self.name in listing.output.split()
        if not exists:
            progress.report(f"kind create cluster --name {self.name}")
            argv = ["kind", "create", "cluster", "--name", self.name, "--wait", "5m"]
            await process.run(argv, timeout_s=START_S)
        await self._write_kubeconfig()
        return Done(changed=not exists, detail="runs" if exists else "created")

    async def load_images(self, archive: Path, progress: Progress) -> Done:
        """Load an archive with kind's own command."""
        argv = ["kind", "load", "image-archive", str(archive), "--name", self.name]
        await process.run(argv, timeout_s=LOAD_S)
        return Done(changed=True, detail=archive.name)

    async def _kubeconfig_text(self) -> str:
        return (await process.run(["kind", "get", "kubeconfig", "--name", self.name])).output


async def running_minikube_profiles() -> list[str]:
    """The minikube profiles that run; none where minikube isn't installed."""
    if shutil.which("minikube") is None:
        return []
    result = await process.run(["minikube", "profile", "list", "--output", "json"], check=False)
    if result.status != 0:
        return []
    return parse_minikube_profiles(result.output)


def parse_minikube_profiles(text: str) -> list[str]:
    """The running profiles of ``minikube profile list --output json``."""
    try:
        profiles = json.loads(text).get("valid") or []
    except (json.JSONDecodeError, AttributeError):
        return []
    # Newer versions say OK where older ones said Running.
    return [entry["Name"] for entry in profiles if entry.get("Status") in ("Running", "OK")]
