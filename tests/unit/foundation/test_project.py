"""The project's version is the same in each file that states it."""

from __future__ import annotations

import tomllib
from importlib import metadata

import yaml

from vrooli import project


def test_the_version_is_that_of_the_package_and_the_chart() -> None:
    settings = tomllib.loads((project.root() / "pyproject.toml").read_text())
    chart = yaml.safe_load((project.chart_dir() / "Chart.yaml").read_text())
    versions = {settings["project"]["version"], chart["version"], metadata.version("vrooli")}
    assert versions == {project.version()}
