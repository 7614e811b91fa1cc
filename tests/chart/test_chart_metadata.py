"""Chart.yaml has what Artifact Hub shows, and names nothing that does not exist."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from vrooli import project
from vrooli.chart import engine, values
from vrooli.checks import requirements
from vrooli.image_names import canonical

HUB = "artifacthub.io/"
# The annotations of https://artifacthub.io/docs/topics/annotations/helm.
ANNOTATIONS = frozenset(
    (
        *("alternativeName", "category", "changes", "containsSecurityUpdates", "crds"),
        *("crdsExamples", "images", "license", "links", "maintainers", "operator"),
        *("operatorCapabilities", "prerelease", "recommendations", "screenshots", "signKey"),
    )
)
CHANGES = ("added", "changed", "deprecated", "removed", "fixed", "security")
# The registry of the images that a user builds.
OWN = "registry.example.com/own"


@pytest.fixture(scope="module")
def chart() -> values.Values:
    """Chart.yaml."""
    return values.read(project.chart_dir() / "Chart.yaml")


def _annotation(chart: values.Values, name: str) -> Any:
    return yaml.safe_load(chart["annotations"][HUB + name])


def test_each_annotation_is_one_of_artifact_hub_and_is_text(chart: values.Values) -> None:
    assert {name.removeprefix(HUB) for name in chart["annotations"]} <= ANNOTATIONS
    assert all(isinstance(text, str) for text in chart["annotations"].values())


def test_the_images_are_those_of_the_default_values(chart: values.Values) -> None:
    manifests = engine.render({"image": {"registry": OWN}}, release="any", namespace="any")
    public = {
        canonical(image) for image in requirements.of(manifests).images if not image.startswith(OWN)
    }
    named = [item["image"] for item in _annotation(chart, "images")]
    assert set(named) == public
    assert not [name for name in named if name.endswith(":latest")]


def test_changes_links_and_license_have_the_fields_that_are_shown(chart: values.Values) -> None:
    assert all(
        item["kind"] in CHANGES and item["description"] for item in _annotation(chart, "changes")
    )
    links = _annotation(chart, "links")
    assert all(item["name"] and item["url"].startswith("https://") for item in links)
    assert _annotation(chart, "license") == "Apache-2.0"
    assert "Apache License" in (project.root() / "LICENSE").read_text()


def test_the_chart_is_no_operator_and_has_no_definitions_of_its_own(chart: values.Values) -> None:
    assert _annotation(chart, "operator") is False
    assert not (project.chart_dir() / "crds").exists()
    assert not {HUB + "crds", HUB + "crdsExamples"} & chart["annotations"].keys()


def test_no_maintainer_has_an_address_that_nobody_reads(chart: values.Values) -> None:
    assert chart["maintainers"]
    assert not [item for item in chart["maintainers"] if "email" in item]
