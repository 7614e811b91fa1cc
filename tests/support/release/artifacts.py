"""Artifacts for tests: of this project's chart, with values of the tests' own."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from vrooli import project
from vrooli.environments import ENVIRONMENTS, Environment
from vrooli.events import silent
from vrooli.workflows.artifacts.build import BuildOptions, build

DEV = ENVIRONMENTS["dev"]
SECRETS = ("sharedConfigAll", "sharedSecretsServerJobs", "postgres", "redis", "dockerhubPullSecret")
# The application without operators, Vault, Secrets and Ingress.
APPLICATION_ONLY: Mapping[str, Any] = {
    "vso": {"enabled": False, "secrets": {name: {"enabled": False} for name in SECRETS}},
    "ingress": {"enabled": False},
    "pgoPostgresql": {"enabled": False},
    "spotahomeRedis": {"enabled": False},
    "externalPostgresql": {"host": "db.example.com"},
    "externalRedis": {"host": "redis.example.com"},
    "image": {"registry": "registry.example.com/vrooli"},
    "services": {
        "adminer": {"enabled": False},
        "nsfwDetector": {"repository": "registry.example.com/vrooli/nsfw-detector"},
    },
}


class Source:
    """A copy of the sources that an artifact is made of, with other values for environments."""

    def __init__(self, root: Path) -> None:
        self._root = root
        for name in ("k8s", "services", "images"):
            ignored = shutil.ignore_patterns("node_modules", "__pycache__", "dist")
            shutil.copytree(project.root() / name, root / name, ignore=ignored)
        for name in ("pyproject.toml", "uv.lock"):
            shutil.copy(project.root() / name, root / name)

    def build(
        self, out: Path, version: str, values: Mapping[str, Any], *, images: bool = False
    ) -> Path:
        """An artifact of development; gives the folder that deploy takes."""
        return self.build_for({DEV: values}, out, version, images=images)

    def build_for(
        self,
        chosen: Mapping[Environment, Mapping[str, Any]],
        out: Path,
        version: str,
        *,
        images: bool = False,
    ) -> Path:
        """An artifact of some environments, with the values of each; gives deploy's folder."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("VROOLI_ROOT", str(self._root))
            for environment, values in chosen.items():
                environment.values_file.write_text(yaml.safe_dump(dict(values)))
            asyncio.run(build(BuildOptions(version, tuple(chosen), out, images=images), silent))
        return out / version
