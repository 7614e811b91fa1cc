"""Clusters that other programs run: minikube, kind, and any kubeconfig context.

Each cluster has its own kubeconfig file with one context, so that nothing depends on the current
context of the user.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from vrooli import process, shell
from vrooli.cluster import minikube_profiles, node_images
from vrooli.cluster.interface import ClusterStatus
from vrooli.errors import CommandError, PrerequisiteError, UsageError, VrooliError
from vrooli.events import Progress
from vrooli.files import write_atomically
from vrooli.kube import Kube
from vrooli.process import Completed
from vrooli.steps import Done

# Timeouts of the programs that create clusters and load images, seconds.
START_S = 900.0
LOAD_S = 900.0
QUERY_S = 60.0
# The container engines that kind tries, in its order.
ENGINES = ("docker", "nerdctl", "podman")
CONTAINERS = "Check that Docker or Podman runs: kind creates its nodes as their containers."
PROFILE = "Check the profile with `minikube status` and `minikube logs --problems`."


@dataclass(frozen=True)
class _External:
    """The common part of the three kinds.

    Attributes:
        name: The name of the profile, cluster or context.
        folder: The folder of the cluster's own kubeconfig.
    """

    name: str
    folder: Path
    kind: ClassVar[str]

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig with only this cluster's context; 0600."""
        return self.folder / "kubeconfig"

    async def images(self) -> frozenset[str]:
        """Empty: only the API lists them."""
        return frozenset()

    async def image_digests(self, names: Collection[str]) -> Mapping[str, str]:
        """Empty: only the API lists images."""
        return {}

    def urls(self) -> dict[str, str]:
        """Empty: such a cluster defines its own addresses."""
        return {}

    async def status(self) -> ClusterStatus:
        """Running if its API server responds, else stopped.

        Raises:
            UsageError: There is no such context.
        """
        try:
            async with await self.connect() as kube:
                version = await kube.version()
        except UsageError:  # the cluster does not exist
            raise
        except VrooliError:
            return ClusterStatus(self.name, self.kind, "stopped")
        return ClusterStatus(self.name, self.kind, "running", version)

    async def connect(self) -> Kube:
        """Connect to its API with its current kubeconfig.

        Raises:
            UsageError: There is no such context.
            PrerequisiteError: It is unreachable.
        """
        try:
            await self._write_kubeconfig()
        except (UsageError, PrerequisiteError):
            raise
        except VrooliError as error:
            raise PrerequisiteError(
                f"There is no kubeconfig of {self.kind} {self.name}: {error.message}",
                f"Check with {self.kind}'s own command whether it runs.",
            ) from error
        return await Kube.connect(self.kubeconfig)

    async def _kubeconfig_text(self) -> str:
        raise NotImplementedError

    async def _write_kubeconfig(self) -> None:
        text = await self._kubeconfig_text()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Another command may read it at this moment.
        write_atomically(self.kubeconfig, text, 0o600)


@dataclass(frozen=True)
class ContextCluster(_External):
    """A context of the user's kubeconfig: an existing cluster, which is not changed."""

    kind: ClassVar[str] = "context"

    async def ensure_running(self, progress: Progress) -> Done:
        """Check that its API server responds.

        Raises:
            UsageError: There is no such context.
            PrerequisiteError: It does not respond.
        """
        await self._write_kubeconfig()
        async with await Kube.connect(self.kubeconfig) as kube:
            return Done(changed=False, detail=f"Kubernetes {await kube.version()}")

    async def load_images(self, archive: Path, progress: Progress) -> Done:
        """Unsupported: such a cluster pulls its images.

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
                "`kubectl config get-contexts` lists the contexts.",
            )
        return result.output


@dataclass(frozen=True)
class MinikubeCluster(_External):
    """A minikube profile."""

    kind: ClassVar[str] = "minikube"

    async def ensure_running(self, progress: Progress) -> Done:
        """Start the profile unless it is running.

        Raises:
            PrerequisiteError: minikube is missing or failed.
        """
        if self.name in await minikube_profiles.fetch_running():
            await self._write_kubeconfig()
            return Done(changed=False, detail="runs")
        progress.report(f"minikube start --profile {self.name}")
        await _run(["minikube", "start", "--profile", self.name], PROFILE, START_S)
        await self._write_kubeconfig()
        return Done(changed=True, detail="started")

    async def load_images(self, archive: Path, progress: Progress) -> Done:
        """Load an archive with minikube's own command, and verify that the profile has it.

        Raises:
            UsageError: The file is not an OCI archive.
            PrerequisiteError: minikube is missing or failed, or has not loaded an image.
        """

        async def listing() -> dict[str, str]:
            argv = ["minikube", "image", "ls", "--format", "json", "--profile", self.name]
            return {self.name: (await _run(argv, PROFILE)).output}

        progress.report(f"minikube image load {archive.name}")
        argv = ["minikube", "image", "load", str(archive), "--profile", self.name]
        return await node_images.load(
            archive, listing, partial(_run, argv, PROFILE, LOAD_S), PROFILE
        )

    async def _kubeconfig_text(self) -> str:
        # minikube names a profile's context after it.
        argv = ["kubectl", "config", "view", "--minify", "--flatten", "--context", self.name]
        return (await _run(argv, PROFILE)).output


@dataclass(frozen=True)
class KindCluster(_External):
    """A cluster of kind."""

    kind: ClassVar[str] = "kind"

    async def ensure_running(self, progress: Progress) -> Done:
        """Create the cluster unless one of that name exists.

        Raises:
            PrerequisiteError: kind or its container engine is missing or failed, or the existing
                cluster is stopped.
        """
        listing = await _run(["kind", "get", "clusters"], CONTAINERS)
        exists = self.name in listing.output.splitlines()
        if not exists:
            progress.report(f"kind create cluster --name {self.name}")
            argv = ["kind", "create", "cluster", "--name", self.name, "--wait", "5m"]
            # kind deletes what it has created when it fails, but not when it is ended.
            advice = f"{CONTAINERS} Delete what is left of the cluster: {self._deletion}"
            await _run(argv, advice, START_S)
        await self._write_kubeconfig()
        return Done(changed=not exists, detail="runs" if exists else "created")

    async def load_images(self, archive: Path, progress: Progress) -> Done:
        """Load an archive with kind's own command, and verify that each node has it.

        Raises:
            UsageError: The file is not an OCI archive.
            PrerequisiteError: kind is missing or failed, or a node has not loaded an image.
        """

        async def listing() -> dict[str, str]:
            nodes = await _run(["kind", "get", "nodes", "--name", self.name], CONTAINERS)
            command = ("crictl", "images", "--output", "json")
            return {
                node: (await _run([container_engine(), "exec", node, *command], CONTAINERS)).output
                for node in nodes.output.split()
            }

        progress.report(f"kind load image-archive {archive.name}")
        argv = ["kind", "load", "image-archive", str(archive), "--name", self.name]
        return await node_images.load(
            archive, listing, partial(_run, argv, CONTAINERS, LOAD_S), CONTAINERS
        )

    @property
    def _deletion(self) -> str:
        return f"kind delete cluster --name {shell.quote(self.name)}"

    async def _kubeconfig_text(self) -> str:
        # kind lists a stopped cluster, too, but reads its kubeconfig from the running node.
        node = shell.quote(f"{self.name}-control-plane")
        advice = (
            f"If its creation was interrupted, delete the cluster: {self._deletion}. "
            f"If the cluster is stopped, start its node: docker start {node}"
        )
        return (await _run(["kind", "get", "kubeconfig", "--name", self.name], advice)).output


def container_engine() -> str:
    """The program of the containers that are kind's nodes, as kind chooses it."""
    chosen = os.environ.get("KIND_EXPERIMENTAL_PROVIDER", "")
    if chosen in (*ENGINES, "finch", "nerdctl.lima"):
        return chosen
    return next((name for name in ENGINES if shutil.which(name)), ENGINES[0])


async def _run(argv: list[str], advice: str, timeout_s: float = QUERY_S) -> Completed:
    """Run a program of the cluster's kind.

    Raises:
        PrerequisiteError: It is not installed, or it failed, with its words.
    """
    try:
        return await process.run(argv, timeout_s=timeout_s)
    except PrerequisiteError as error:
        raise PrerequisiteError(
            error.message, f"Install {argv[0]}: vrooli does not. Then run the command again."
        ) from error
    except CommandError as error:
        raise PrerequisiteError(error.message, advice) from error
