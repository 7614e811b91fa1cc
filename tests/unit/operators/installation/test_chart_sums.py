"""A vendor's chart must have the sum that the user expects, and that of its first installation."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from support.fakes.cluster import FakeCluster
from vrooli.errors import UsageError, VrooliError
from vrooli.kube.objects import annotations_of
from vrooli.operators.installation import chart_sums
from vrooli.operators.model import VendorChart

NAMESPACE = "postgres-operator"
OLD, NEW = (VendorChart("pgo", version, ()) for version in ("5.8.2", "5.8.3"))


@pytest.fixture
def kube() -> FakeCluster:
    """A cluster with the namespace of the operator."""
    return FakeCluster({"kind": "Namespace", "metadata": {"name": NAMESPACE}})


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """What a repository served."""
    path = tmp_path / "pgo.tgz"
    path.write_bytes(b"chart")
    return path


def _sum(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


async def test_a_version_keeps_the_content_of_its_first_installation(
    kube: FakeCluster, archive: Path
) -> None:
    for chart, content in ((OLD, b"chart"), (NEW, b"new chart"), (OLD, b"chart")):
        archive.write_bytes(content)
        await chart_sums.demand(kube, NAMESPACE, chart, archive)
    assert annotations_of(kube.body("Namespace", NAMESPACE))[chart_sums.ANNOTATION] == (
        f"pgo-5.8.2@sha256:{_sum(b'chart')} pgo-5.8.3@sha256:{_sum(b'new chart')}"
    )
    archive.write_bytes(b"changed")
    for chart in (OLD, NEW):
        with pytest.raises(VrooliError, match="a published version does not change") as raised:
            await chart_sums.demand(kube, NAMESPACE, chart, archive)
        assert f"annotate namespace {NAMESPACE} {chart_sums.ANNOTATION}-" in raised.value.advice


@pytest.mark.parametrize("line", ["{sum}  pgo-5.8.2.tgz", "{sum} *charts/pgo-5.8.2.tgz"])
async def test_a_chart_with_the_expected_sum_is_accepted(
    kube: FakeCluster,
    archive: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
) -> None:
    sums = tmp_path / "sums.txt"
    sums.write_text(f"{'0' * 64}  other-1.tgz\n{line.format(sum=_sum(b'chart'))}\n")
    monkeypatch.setenv(chart_sums.VARIABLE, str(sums))
    await chart_sums.demand(kube, NAMESPACE, OLD, archive)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (f"{'0' * 64}  pgo-5.8.2.tgz", VrooliError, "expects 000"),
        (f"{'0' * 64}  pgo-5.8.3.tgz", UsageError, "has no sum of pgo-5.8.2.tgz"),
        ("0123  pgo-5.8.2.tgz", UsageError, "has no sum of"),
        (f"{'0' * 64}  pgo-5.8.2.tgz\n{'1' * 64}  pgo-5.8.2.tgz", UsageError, "several sums"),
        (None, UsageError, "cannot be read"),
    ],
    ids=["other sum", "other chart", "no sum", "two sums", "no file"],
)
async def test_another_chart_is_refused_and_not_recorded(
    kube: FakeCluster,
    archive: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str | None,
    error: type[VrooliError],
    message: str,
) -> None:
    sums = tmp_path / "sums.txt"
    if text is not None:
        sums.write_text(text)
    monkeypatch.setenv(chart_sums.VARIABLE, str(sums))
    with pytest.raises(error, match=message):
        await chart_sums.demand(kube, NAMESPACE, OLD, archive)
    assert chart_sums.ANNOTATION not in annotations_of(kube.body("Namespace", NAMESPACE))
