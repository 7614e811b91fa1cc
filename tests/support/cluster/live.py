"""The live release that cluster and e2e tests inspect."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from vrooli.environments import Environment
from vrooli.events import StepEnded

# Tests have a cluster of their own, by a name that nobody gives to one that they work with.
CLUSTER = os.environ.get("VROOLI_TEST_CLUSTER", "tests-of-vrooli")
VALUES = Path(__file__).with_name("live-values.yaml")


@dataclass(frozen=True)
class Live:
    """The whole of Vrooli, healthy on a cluster of the tests' own.

    Attributes:
        cluster: The cluster as ``--cluster`` takes it.
        environment: Whose values it was installed with.
        kubeconfig: The cluster's own file.
        urls: What answers on 127.0.0.1, by name.
        values: The values files that it was installed with, over the environment's.
        steps: What bringing it up took.
    """

    cluster: str
    environment: Environment
    kubeconfig: Path
    urls: dict[str, str]
    values: tuple[Path, ...]
    steps: tuple[StepEnded, ...]
