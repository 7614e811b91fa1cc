"""Merging a cluster into a person's kubeconfig."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from vrooli.cluster.embedded.components.kubeconfigs import merge
from vrooli.errors import UsageError


def _kubeconfig(name: str, server: str) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": {"server": server}}],
            "users": [{"name": name, "user": {"client-key-data": "a2V5"}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "cluster"
    path.write_text(_kubeconfig("vrooli-one", "https://127.0.0.1:1"))
    return path


def test_a_first_kubeconfig_is_made_private_and_current(tmp_path: Path, source: Path) -> None:
    target = tmp_path / ".kube" / "config"
    assert merge(source, target) == "vrooli-one"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert yaml.safe_load(target.read_text())["current-context"] == "vrooli-one"


def test_other_clusters_comments_and_the_current_context_stay(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "config"
    target.write_text("# mine\n" + _kubeconfig("prod", "https://prod"))
    merge(source, target)
    content = yaml.safe_load(target.read_text())
    assert target.read_text().startswith("# mine\n")
    assert content["current-context"] == "prod"
    assert [item["name"] for item in content["contexts"]] == ["prod", "vrooli-one"]


def test_names_that_need_their_quotes_keep_them(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "config"
    target.write_text(_kubeconfig("other", "https://other").replace("name: other", "name: 'y'"))
    merge(source, target)
    assert "name: 'y'" in target.read_text()


def test_merging_again_replaces_what_was_merged(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "config"
    merge(source, target)
    source.write_text(_kubeconfig("vrooli-one", "https://127.0.0.1:2"))
    merge(source, target)
    clusters = yaml.safe_load(target.read_text())["clusters"]
    assert [item["cluster"]["server"] for item in clusters] == ["https://127.0.0.1:2"]


@pytest.mark.parametrize("content", ["a: [", "- 1", "kind: Pod"])
def test_a_file_that_is_no_kubeconfig_is_refused_and_left_as_it_is(
    tmp_path: Path, source: Path, content: str
) -> None:
    target = tmp_path / "config"
    target.write_text(content)
    with pytest.raises(UsageError):
        merge(source, target)
    assert target.read_text() == content
