"""The chart and the values of a revision, written for Helm again."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.fakes.cluster import FakeCluster, namespace
from support.release.helm_secrets import packed
from vrooli import project
from vrooli.chart import engine
from vrooli.chart import values as chart_values
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import PrerequisiteError
from vrooli.release import Release
from vrooli.release.model import Revision, secret_name
from vrooli.release.records import source
from vrooli.release.records.source import RecordedSource

RELEASE = Release("vrooli-dev", "dev", Path("kubeconfig"))
DEV = ENVIRONMENTS["dev"]


def _chart() -> dict[str, Any]:
    """The project's chart in the form of Helm's record."""
    root = project.chart_dir()
    files = [
        {"name": str(path.relative_to(root)), "data": base64.b64encode(path.read_bytes()).decode()}
        for path in sorted((root / "templates").rglob("*"))
        if path.is_file()
    ]
    schema = (root / "values.schema.json").read_bytes()
    return {
        "metadata": yaml.safe_load((root / "Chart.yaml").read_text()),
        "values": chart_values.read(root / "values.yaml"),
        "schema": base64.b64encode(schema).decode(),
        "templates": files,
        "files": [{"name": "README.md", "data": ""}],
    }


def test_a_recorded_chart_renders_the_same_objects(tmp_path: Path) -> None:
    values = chart_values.load(DEV)
    RecordedSource(_chart(), values).write(tmp_path)
    first, again = (
        engine.render(values, release=DEV.release, namespace=DEV.namespace, chart=chart)
        for chart in (None, tmp_path)
    )
    assert first == again


@pytest.mark.parametrize("name", ["../x", "/x", "templates/../../x"])
def test_a_file_outside_of_the_folder_is_not_written(tmp_path: Path, name: str) -> None:
    chart = {"templates": [{"name": name, "data": ""}]}
    folder = tmp_path / "chart"
    folder.mkdir()
    with pytest.raises(ValueError, match="file named"):
        RecordedSource(chart, {}).write(folder)
    assert not (tmp_path / "x").exists()


def _secret(data: str) -> dict[str, Any]:
    metadata = {"name": secret_name(RELEASE.name, 2)}
    return {"kind": "Secret", "metadata": metadata, "data": {"release": data}}


async def test_the_values_of_a_revision_are_fetched() -> None:
    content = {"chart": {"values": {"a": 1}}, "config": {"a": 2}}
    cluster = FakeCluster(namespace(), _secret(packed(content)))
    fetched = await source.fetch(cluster, RELEASE, Revision(2))
    assert (fetched.chart, fetched.values) == ({"values": {"a": 1}}, {"a": 2})


@pytest.mark.parametrize("objects", [[], [_secret("x")]])
async def test_a_record_that_cannot_be_read_is_reported(objects: list[dict[str, Any]]) -> None:
    with pytest.raises(PrerequisiteError, match="revision 2"):
        await source.fetch(FakeCluster(namespace(), *objects), RELEASE, Revision(2))
