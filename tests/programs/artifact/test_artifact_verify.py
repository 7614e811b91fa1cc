"""Any byte, file or link of an artifact that differs from the record is found."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from vrooli.artifact import model, pack
from vrooli.artifact.verify import MAX_UNPACKED_BYTES, Difference, Kind, require_intact, verify
from vrooli.chart import engine
from vrooli.errors import UsageError

PROD = "helm-value-files/values-prod.yaml"
CHART = "k8s-chart-packages/vrooli-0.1.0.tgz"


def _flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_an_artifact_as_it_was_built_has_no_differences(artifact: Path) -> None:
    record, found = verify(artifact)
    assert found == ()
    assert require_intact(artifact) == record
    assert set(record.files) == pack.list_files(artifact) - {model.RECORD}


@pytest.mark.parametrize("name", [PROD, CHART, model.RECORD])
def test_any_flipped_bit_is_found(artifact: Path, name: str) -> None:
    path = artifact / name
    whole = path.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        _flip(path, place)
        try:
            found = verify(artifact)[1]
        except UsageError:  # a record or a package that can't even be read
            found = (Difference(name, Kind.CHANGED),)
        assert {one.path for one in found} >= {name}, place
        path.write_bytes(whole)
    assert verify(artifact)[1] == ()


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def _link(path: Path) -> None:
    path.rename(path.parents[2] / "elsewhere")
    path.symlink_to(path.parents[2] / "elsewhere")


@pytest.mark.parametrize(
    ("spoil", "name", "kind"),
    [
        (_append, PROD, Kind.CHANGED),
        (_append, model.RECORD, Kind.CHANGED),
        (_link, PROD, Kind.CHANGED),
        (Path.unlink, PROD, Kind.MISSING),
        (Path.unlink, CHART, Kind.MISSING),
        (Path.touch, "helm-value-files/values-moon.yaml", Kind.ADDED),
        (Path.touch, ".hidden", Kind.ADDED),
        (Path.mkdir, "empty", Kind.ADDED),
        (lambda path: path.symlink_to("/"), "link", Kind.ADDED),
        (lambda path: path.symlink_to("nowhere"), "link", Kind.ADDED),
    ],
)
def test_what_was_changed_removed_or_added_is_named(
    artifact: Path, spoil: Callable[[Path], None], name: str, kind: Kind
) -> None:
    spoil(artifact / name)
    assert verify(artifact)[1] == (Difference(name, kind),)
    with pytest.raises(UsageError, match="modified after its build") as refused:
        require_intact(artifact)
    assert f"{name} ({kind})" in refused.value.message


def test_all_differences_are_told_at_once(artifact: Path) -> None:
    _append(artifact / PROD)
    (artifact / "x").touch()
    (artifact / CHART).unlink()
    assert {one.kind for one in verify(artifact)[1]} == set(Kind)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        gzip.compress(b"no tar"),
        gzip.compress(b"\0" * 10240),
    ],
    ids=["empty", "no archive", "no tar", "an empty tar"],
)
def test_a_package_that_is_no_chart_is_corrupt(artifact: Path, content: bytes) -> None:
    (artifact / CHART).write_bytes(content)
    with pytest.raises(UsageError, match="is corrupt"):
        verify(artifact)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.8])
def test_a_package_with_one_other_bit_in_its_content_is_corrupt(
    artifact: Path, part: float
) -> None:
    path = artifact / CHART
    _flip(path, int(path.stat().st_size * part))
    with pytest.raises(UsageError, match="is corrupt"):
        verify(artifact)


def test_a_package_that_unpacks_without_end_is_refused(artifact: Path) -> None:
    (artifact / CHART).write_bytes(gzip.compress(b"\0" * (MAX_UNPACKED_BYTES + 1), compresslevel=1))
    with pytest.raises(UsageError, match="larger than"):
        verify(artifact)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_package_that_was_cut_off_is_corrupt(artifact: Path, kept: float) -> None:
    whole = (artifact / CHART).read_bytes()
    (artifact / CHART).write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(UsageError, match="is corrupt"):
        verify(artifact)


def _other_chart(folder: Path, name: str, version: str) -> Path:
    (folder / "chart").mkdir()
    metadata = {"apiVersion": "v2", "name": name, "version": version}
    (folder / "chart" / "Chart.yaml").write_text(yaml.safe_dump(metadata))
    return engine.package(folder / "packages", chart=folder / "chart")


def _sealed_with(artifact: Path, package: Path, **chart: str) -> None:
    """Put another package in, and make the record agree with it."""
    shutil.copy(package, artifact / CHART)
    record = json.loads((artifact / model.RECORD).read_text())
    record["chart"] |= chart
    record["files"][CHART] = pack.measure_file(package).model_dump()
    text = model.Artifact.model_validate(record).text()
    (artifact / model.RECORD).write_text(text)


@pytest.mark.parametrize("recorded", ["vrooli", "other"])
def test_an_artifact_of_another_chart_is_refused_whatever_its_record_says(
    artifact: Path, tmp_path: Path, recorded: str
) -> None:
    _sealed_with(artifact, _other_chart(tmp_path, "other", "0.1.0"), name=recorded)
    with pytest.raises(UsageError, match="contains the chart 'other', not 'vrooli'"):
        verify(artifact)


def test_a_package_of_another_version_than_recorded_is_refused(
    artifact: Path, tmp_path: Path
) -> None:
    _sealed_with(artifact, _other_chart(tmp_path, "vrooli", "9.9.9"))
    with pytest.raises(UsageError, match=r"version '9\.9\.9', but the record names '0\.1\.0'"):
        verify(artifact)
