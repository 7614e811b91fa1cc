"""The user's own kubeconfig is changed only as far as asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from vrooli.errors import UsageError
from vrooli.workflows import kubeconfigs

OURS = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "a", "cluster": {"server": "https://127.0.0.1:26443"}}],
    "users": [{"name": "b", "user": {"token": "t"}}],
    "contexts": [{"name": "c", "context": {"cluster": "a", "user": "b", "namespace": "dev"}}],
    "current-context": "c",
}
THEIRS = {
    "apiVersion": "v1",
    "kind": "Config",
    "preferences": {"colors": True},
    "clusters": [{"name": "prod", "cluster": {"server": "https://prod"}}],
    "users": [{"name": "prod", "user": {}}],
    "contexts": [{"name": "prod", "context": {"cluster": "prod", "user": "prod"}}],
    "current-context": "prod",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A cluster's own kubeconfig."""
    path = tmp_path / "ours"
    path.write_text(yaml.safe_dump(OURS))
    return path


def _merged(source: Path, into: Path) -> dict[str, Any]:
    kubeconfigs.merge(source, into, "vrooli-x")
    content = yaml.safe_load(into.read_text())
    assert isinstance(content, dict)
    return content


def test_what_the_user_has_stays_the_current_context_above_all(
    source: Path, tmp_path: Path
) -> None:
    into = tmp_path / "theirs"
    into.write_text(yaml.safe_dump(THEIRS))
    merged = _merged(source, into)
    assert merged["current-context"] == "prod"
    assert merged["preferences"] == {"colors": True}
    for part in kubeconfigs.PARTS:
        assert [item["name"] for item in merged[part]] == ["prod", "vrooli-x"]
        assert merged[part][0] == THEIRS[part][0]  # type: ignore[index]


def test_the_new_context_leads_to_the_cluster_and_its_user(source: Path, tmp_path: Path) -> None:
    merged = _merged(source, tmp_path / "new" / "config")
    assert merged["contexts"][0]["context"] == {
        "cluster": "vrooli-x",
        "user": "vrooli-x",
        "namespace": "dev",
    }
    assert merged["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:26443"
    assert merged["current-context"] == "vrooli-x"


def test_merging_again_replaces_and_says_that_nothing_changed(source: Path, tmp_path: Path) -> None:
    into = tmp_path / "theirs"
    assert kubeconfigs.merge(source, into, "x") is True
    assert kubeconfigs.merge(source, into, "x") is False
    assert len(yaml.safe_load(into.read_text())["clusters"]) == 1


def test_the_file_is_the_users_alone_since_it_holds_keys(source: Path, tmp_path: Path) -> None:
    into = tmp_path / "theirs"
    into.write_text("")
    into.chmod(0o644)
    kubeconfigs.merge(source, into, "x")
    assert into.stat().st_mode & 0o777 == 0o600


def test_a_linked_kubeconfig_stays_a_link(source: Path, tmp_path: Path) -> None:
    (tmp_path / "real").write_text(yaml.safe_dump(THEIRS))
    into = tmp_path / "link"
    into.symlink_to(tmp_path / "real")
    kubeconfigs.merge(source, into, "x")
    assert into.is_symlink()
    assert "https://prod" in (tmp_path / "real").read_text()


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [", "\x00"])
def test_a_file_that_is_no_kubeconfig_is_left_as_it_is(
    source: Path, tmp_path: Path, text: str
) -> None:
    into = tmp_path / "theirs"
    into.write_text(text)
    with pytest.raises(UsageError, match="is no kubeconfig"):
        kubeconfigs.merge(source, into, "x")
    assert into.read_text() == text


def test_the_users_file_is_where_kubectl_would_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/one:/two")
    assert kubeconfigs.users_file() == Path("/one")
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", "/home/me")
    assert kubeconfigs.users_file() == Path("/home/me/.kube/config")
