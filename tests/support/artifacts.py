"""Artifacts for tests: of this project's chart, with values of the tests' own."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from vrooli import project
from vrooli.environments import ENVIRONMENTS, Environment
from vrooli.events import silent
from vrooli.workflows.build import BuildOptions, build

DEV = ENVIRONMENTS["dev"]


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
        self,
        out: Path,
        version: str,
        values: Mapping[str, Any],
        *,
        images: bool = False,
        environments: Sequence[Environment] = (DEV,),
    ) -> Path:
        """An artifact of the environments, all of them with these values; gives its folder."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("VROOLI_ROOT", str(self._root))
            for environment in environments:
                environment.values_file.write_text(yaml.safe_dump(dict(values)))
            options = BuildOptions(version, tuple(environments), out, images=images)
            asyncio.run(build(options, silent))
        return out / version
