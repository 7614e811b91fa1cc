"""Rendering and packaging: typed manifests and error messages."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from vrooli import project
from vrooli.chart import engine, manifest, values
from vrooli.errors import UsageError


def test_parsed_manifests_have_a_namespace_and_a_source() -> None:
    text = """
---
# nothing here
---
apiVersion: v1
kind: Pod
metadata: {name: a, annotations: {helm.sh/hook: test}}
---
apiVersion: v1
kind: Secret
metadata: {name: b, namespace: other}
"""
    pod, secret = manifest.parse(text, "here", "templates/x.yaml")
    assert (pod.key, pod.namespace, pod.is_hook) == ("Pod/a", "here", True)
    assert (secret.key, secret.namespace, secret.is_hook) == ("Secret/b", "other", False)
    assert pod.source == "templates/x.yaml"


def test_a_rejection_names_the_key() -> None:
    with pytest.raises(UsageError) as refused:
        engine.render({"servises": {}}, release="a", namespace="b")
    assert "servises" in refused.value.message
    assert "\n" not in refused.value.message
    assert "values.yaml" in refused.value.advice


def test_a_folder_without_a_chart_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be rendered"):
        engine.render({}, release="a", namespace="b", chart=tmp_path)


def test_the_same_values_are_rendered_once_until_the_chart_changes(tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("{apiVersion: v2, name: x, version: 1.0.0}\n")
    template = chart / "templates" / "a.yaml"

    def render(text: str, **values: str) -> engine.Rendering:
        template.write_text(f"{{kind: {text}, apiVersion: v1, metadata: {{name: a}}}}")
        os.utime(template, (0, len(text)))  # as an edit does, even within a tick of the clock
        return engine.render_texts(values, release="a", namespace="b", chart=chart)

    first = render("Pod", a="1")
    assert render("Pod", a="1") is first
    assert render("Pod", a="2") is not first
    (changed,) = render("Secret", a="1").manifests
    assert changed.kind == "Secret"


def test_the_charts_own_values_are_those_of_its_file() -> None:
    assert engine.defaults() == values.read(project.chart_dir() / "values.yaml")


def test_a_package_excludes_the_charts_tests(tmp_path: Path) -> None:
    package = engine.package(tmp_path / "out", version="1.2.3", app_version="4.5.6")
    assert package == tmp_path / "out" / "vrooli-1.2.3.tgz"
    with tarfile.open(package) as archive:
        names = set(archive.getnames())
    assert "vrooli/values.schema.json" in names
    assert "vrooli/templates/tests/ui-test.yaml" in names
    assert not {name for name in names if "golden" in name or "values-" in name}


def test_a_package_renders_like_its_folder(tmp_path: Path) -> None:
    package = engine.package(tmp_path)
    from_package = engine.render({}, release="a", namespace="b", chart=package)
    assert from_package == engine.render({}, release="a", namespace="b", chart=project.chart_dir())
