"""The commands on embedded clusters, where no cluster needs to run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from vrooli import project
from vrooli.errors import InterruptError, UsageError
from vrooli.events import Event, LogLine, silent
from vrooli.workflows.clusters import embedded
from vrooli.workflows.safeguards.consent import Consent


@pytest.fixture
def state(state_dir: Path) -> Path:
    """A state folder with one stopped cluster, called mine."""
    mine = state_dir / "clusters" / "mine"
    (mine / "logs").mkdir(parents=True)
    (mine / "logs" / "kubelet.log").write_text("one\ntwo\nthree\n")
    record = {
        "index": 0,
        "host_cidr": "10.213.0.0/16",
        "ports": {"api": 1, "http": 2, "https": 3},
        "durable": True,
        "programs": {},
        "images": {},
    }
    (mine / "cluster.json").write_text(json.dumps(record))
    return state_dir


def _wrong_uses(name: str) -> dict[str, Coroutine[Any, Any, object]]:
    return {
        "stop": embedded.stop(name, silent),
        "status": embedded.status(name, silent),
        "kubeconfig": embedded.kubeconfig(name, silent, merge=False),
        "logs": embedded.logs(name, "kubelet", silent, tail=1, follow=False),
    }


@pytest.mark.parametrize("command", ["stop", "status", "kubeconfig", "logs"])
def test_an_unknown_cluster_is_wrong_use_and_the_existing_ones_are_reported(
    state: Path, command: str
) -> None:
    works = _wrong_uses("other")
    work = works.pop(command)
    for unused in works.values():
        unused.close()
    with pytest.raises(UsageError, match="no embedded cluster 'other'") as refused:
        asyncio.run(work)
    assert "There are: mine." in refused.value.advice
    assert "vrooli cluster start other" in refused.value.advice


def test_a_name_that_would_leave_the_state_folder_is_refused(state: Path) -> None:
    with pytest.raises(UsageError, match="can't be a cluster's name"):
        asyncio.run(embedded.delete("../x", silent))


def test_a_cluster_with_its_data_is_not_deleted_unconfirmed(state: Path) -> None:
    with pytest.raises(UsageError, match="delete cluster mine with all data in it") as refused:
        asyncio.run(embedded.delete("mine", silent, Consent()))
    assert "--yes" in refused.value.advice
    questions: list[str] = []
    with pytest.raises(InterruptError):
        no = Consent(ask=questions.append)  # type: ignore[arg-type]
        asyncio.run(embedded.delete("mine", silent, no))
    assert questions == ["Delete cluster mine with all data in it?"]
    assert (state / "clusters" / "mine" / "cluster.json").exists()


def test_stopped_clusters_are_listed(state: Path) -> None:
    (state / "clusters" / ".mine.lock").touch()
    result = asyncio.run(embedded.list_all(silent)).clusters
    assert [(item.name, item.kind, item.state) for item in result] == [
        ("mine", "embedded", "stopped")
    ]


def test_without_any_cluster_the_list_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VROOLI_STATE_DIR", str(tmp_path / "none"))
    assert asyncio.run(embedded.list_all(silent)).clusters == ()


def test_a_stopped_cluster_is_a_problem(state: Path) -> None:
    result = asyncio.run(embedded.status("mine", silent))
    assert (result.ok, result.cluster.state) == (False, "stopped")


def test_the_last_lines_of_a_components_log_are_reported(state: Path) -> None:
    events: list[Event] = []
    asyncio.run(embedded.logs("mine", "kubelet", events.append, tail=2, follow=False))
    assert events == [LogLine("kubelet", "two"), LogLine("kubelet", "three")]


def test_an_unknown_component_is_wrong_use_and_the_existing_ones_are_reported(state: Path) -> None:
    with pytest.raises(UsageError, match="no component 'etdc'") as refused:
        asyncio.run(embedded.logs("mine", "etdc", silent, tail=1, follow=False))
    assert "kubelet" in refused.value.advice
    assert "etcd" in refused.value.advice


def test_the_kubeconfig_is_the_clusters_own_file(state: Path) -> None:
    result = asyncio.run(embedded.kubeconfig("mine", silent, merge=False))
    assert result.path == str(state / "clusters" / "mine" / "kubeconfig")
    assert result.merged_into is None


def test_the_users_kubeconfig_is_where_kubectl_would_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/one:/two")
    assert project.users_kubeconfig() == Path("/one")
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setenv("HOME", "/home/me")
    assert project.users_kubeconfig() == Path("/home/me/.kube/config")


def test_merging_into_a_linked_kubeconfig_leaves_the_link(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"clusters": [{"name": "x", "cluster": {}}], "users": [{"name": "x", "user": {}}]}
    context = {"name": "x", "context": {"cluster": "x", "user": "x"}}
    own = {"kind": "Config", **entry, "contexts": [context], "current-context": "x"}
    (state / "clusters" / "mine" / "kubeconfig").write_text(json.dumps(own))
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "link"))
    result = asyncio.run(embedded.kubeconfig("mine", silent, merge=True))
    assert (result.merged_into, result.context) == (str(tmp_path / "link"), "x")
    assert (tmp_path / "link").is_symlink()
    assert "current-context: x" in (tmp_path / "real").read_text()
