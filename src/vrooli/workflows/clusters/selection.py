"""Which cluster a command works on.

Never the current kubeconfig context unless it is named: it may be production.
"""

from __future__ import annotations

import os
import platform
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vrooli import project
from vrooli.cluster import minikube_profiles
from vrooli.cluster.external import ContextCluster, KindCluster, MinikubeCluster
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Listener, Progress
from vrooli.locks import locked
from vrooli.trust import create_trusted

EMBEDDED = "embedded"
# The name of a kind's cluster when only the kind is given; a context has no default.
DEFAULT_NAMES = {EMBEDDED: "vrooli", "minikube": "minikube", "kind": "kind"}
KINDS = (*DEFAULT_NAMES, "context")

# How a run that waits for its turn is called in what is reported.
TURN = "turn"

ExternalCluster = ContextCluster | MinikubeCluster | KindCluster
_EXTERNAL: dict[str, Callable[..., ExternalCluster]] = {
    "minikube": MinikubeCluster,
    "kind": KindCluster,
    "context": ContextCluster,
}


@dataclass(frozen=True)
class Choice:
    """A kind of cluster and a name, as ``--cluster KIND[:NAME]`` takes them."""

    kind: str
    name: str

    def __str__(self) -> str:
        """The spelling that ``--cluster`` takes."""
        return f"{self.kind}:{self.name}"

    @property
    def embedded(self) -> bool:
        """Whether it is a cluster of our own."""
        return self.kind == EMBEDDED

    @asynccontextmanager
    async def turn(self, listener: Listener) -> AsyncIterator[None]:
        """Hold the cluster's turn: of two runs at once, the second waits for the first's end."""
        progress = Progress(TURN, listener)
        lock = project.state_dir() / "turns" / f"{self.kind}-{self.name.replace('/', '_')}"
        if self.embedded:  # its files are used as root
            create_trusted(lock.parent)
        async with locked(lock, lambda: progress.report("waiting for another run on this cluster")):
            yield

    def external(self) -> ExternalCluster:
        """The cluster, when someone else's program runs it."""
        folder = project.state_dir() / "external" / f"{self.kind}-{self.name.replace('/', '_')}"
        return _EXTERNAL[self.kind](self.name, folder)


def parse(text: str) -> Choice:
    """The choice that ``--cluster`` names.

    Raises:
        UsageError: An unknown kind, or a context without its name.
    """
    kind, _, name = text.partition(":")
    if kind not in KINDS:
        raise UsageError(
            f"There is no kind of cluster {kind!r}.",
            f"Choose one of: {', '.join(KINDS)}; a name may follow, as in embedded:vrooli.",
        )
    if not (name or kind in DEFAULT_NAMES):
        raise UsageError(
            "--cluster context needs the context's name.",
            "For example: --cluster context:my-cluster; `kubectl config get-contexts` lists them.",
        )
    return Choice(kind, name or DEFAULT_NAMES[kind])


async def choose(text: str | None) -> Choice:
    """The named cluster; without a name a minikube profile that runs, else embedded.

    Raises:
        UsageError: The name is wrong.
        PrerequisiteError: None was named, and none can be made here.
    """
    if text:
        return parse(text)
    profiles = await minikube_profiles.fetch_running()
    if profiles:
        return Choice("minikube", profiles[0])
    if platform.system() == "Linux" and os.geteuid() == 0:
        return Choice(EMBEDDED, DEFAULT_NAMES[EMBEDDED])
    raise PrerequisiteError(
        "No minikube profile runs, and the embedded cluster needs Linux and root.",
        "Run it again as root (sudo), start one with `minikube start`, "
        "or name one: --cluster kind, --cluster context:NAME.",
    )
