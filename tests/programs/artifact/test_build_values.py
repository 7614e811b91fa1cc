"""Values files of `build --values`: in the artifact, its record, its verification, and a deploy."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from vrooli import project
from vrooli.artifact import model, pack
from vrooli.artifact.verify import Difference, Kind, verify
from vrooli.chart import engine, values
from vrooli.environments import ENVIRONMENTS
from vrooli.errors import UsageError
from vrooli.events import silent
from vrooli.release.overrides import Overrides
from vrooli.workflows.artifacts.build import BuildOptions, build
from vrooli.workflows.deploys.deploy import rendered
from vrooli.workflows.options import DeployOptions

PROD = ENVIRONMENTS["prod"]
VROOLI = project.chart_dir() / "values-vrooli.yaml"
NAMES = ("helm-value-files/additional-1.yaml", "helm-value-files/additional-2.yaml")
# Two files of the same name; the second one overrides the first one and the environment's.
SITE = """\
# The site.
config:
  extra: {SERVER_URL: https://vrooli.example.com/api}
services:
  server: {repository: registry.example.com/vrooli/server, tag: "2025-08-10"}
ingress:
  tls: [{secretName: site-tls, hosts: [vrooli.example.com]}]
  hosts:
    - host: vrooli.example.com
      paths: [{path: /, service: ui}]
"""


def _build(out: Path, *files: Path, **changes: Any) -> Path:
    options = BuildOptions("1.2.3", (PROD,), out, values=files, **changes)
    return Path(asyncio.run(build(options, silent)).path)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Vrooli's file and that of a site, in two folders under the same name."""
    paths = tmp_path / "a" / "values-prod.yaml", tmp_path / "b" / "values-prod.yaml"
    for path, text in zip(paths, (VROOLI.read_text(), SITE), strict=True):
        path.parent.mkdir()
        path.write_text(text)
    return paths


def test_the_artifact_has_the_files_in_their_order_with_their_text(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    folder = _build(tmp_path / "out", *files)
    record = model.read(folder)
    assert record.additional_values == NAMES
    assert record.values_files("prod") == ("helm-value-files/values-prod.yaml", *NAMES)
    for name, file in zip(NAMES, files, strict=True):
        assert (folder / name).read_bytes() == file.read_bytes()
        assert record.files[name] == pack.measure_file(file)
    assert str(tmp_path) not in (folder / model.RECORD).read_text()
    assert verify(folder)[1] == ()


def test_the_names_and_folders_of_the_files_change_no_byte(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    first = _build(tmp_path / "one", *files)
    renamed = files[1].rename(tmp_path / "other.yaml")
    second = _build(tmp_path / "two", files[0], renamed)
    assert (first / model.RECORD).read_bytes() == (second / model.RECORD).read_bytes()


def test_a_deploy_renders_what_helm_does_with_all_files_in_their_order(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    folder = _build(tmp_path / "out", *files)
    expected = values.load(PROD)
    for service in ("ui", "server", "jobs"):
        expected = values.merge(expected, {"services": {service: {"tag": "1.2.3"}}})
    expected = values.merge(expected, {"rotation": {"tag": "1.2.3"}})
    for file in files:
        expected = values.merge(expected, values.read(file))
    assert rendered(DeployOptions(PROD, artifact=folder), "context", Overrides()) == engine.render(
        expected,
        release=PROD.release,
        namespace=PROD.namespace,
        chart=folder / model.read(folder).chart.package,
    )
    images = {image.service: image.references for image in model.read(folder).images}
    assert images["server"] == ("registry.example.com/vrooli/server:2025-08-10",)
    assert images["ui"][0].endswith("/ui:1.2.3")


def test_a_changed_missing_or_added_file_is_named(tmp_path: Path, files: tuple[Path, Path]) -> None:
    folder = _build(tmp_path / "out", *files)
    (folder / NAMES[0]).write_text("replicaCount: {ui: 7}\n")
    (folder / NAMES[1]).rename(folder / "helm-value-files" / "additional-3.yaml")
    assert set(verify(folder)[1]) == {
        Difference(NAMES[0], Kind.CHANGED),
        Difference(NAMES[1], Kind.MISSING),
        Difference("helm-value-files/additional-3.yaml", Kind.ADDED),
    }


def test_a_file_that_only_the_record_names_is_missing(artifact: Path) -> None:
    content = json.loads((artifact / model.RECORD).read_text())
    content["additional_values"] = [NAMES[0]]
    (artifact / model.RECORD).write_text(model.Artifact.model_validate(content).text())
    assert verify(artifact)[1] == (Difference(NAMES[0], Kind.MISSING),)


def test_a_record_can_not_name_a_file_outside(artifact: Path) -> None:
    content = json.loads((artifact / model.RECORD).read_text())
    content["additional_values"] = ["../additional-1.yaml"]
    (artifact / model.RECORD).write_text(json.dumps(content))
    with pytest.raises(UsageError, match="not a path below the artifact"):
        verify(artifact)


def test_a_record_without_such_files_keeps_its_checksum_and_is_deployable(artifact: Path) -> None:
    assert "additional_values" not in (artifact / model.RECORD).read_text()
    assert model.read(artifact).values_files("prod") == ("helm-value-files/values-prod.yaml",)
    assert rendered(DeployOptions(PROD, artifact=artifact), "context", Overrides())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("services: {server: {prot: 1}}\n", "prot"),
        ("services: {server: {extraEnv: {API_TOKEN: hunter2hunter2}}}\n", "API_TOKEN"),
    ],
    ids=["a value that the chart does not have", "a secret"],
)
def test_a_file_that_is_refused_leaves_no_artifact(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=named):
        _build(tmp_path / "out", file)
    assert not (tmp_path / "out" / "1.2.3").exists()
