"""Which cluster a command works on."""

import os
from pathlib import Path

import pytest

from vrooli.cluster import minikube_profiles
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import silent
from vrooli.workflows.clusters import selection
from vrooli.workflows.clusters.selection import Choice, choose, parse


def _host(
    monkeypatch: pytest.MonkeyPatch, *, system: str = "Linux", user: int = 0, minikube: str = ""
) -> None:
    async def profiles() -> list[str]:
        return minikube.split()

    monkeypatch.setattr(minikube_profiles, "fetch_running", profiles)
    monkeypatch.setattr(selection.platform, "system", lambda: system)
    monkeypatch.setattr(selection.os, "geteuid", lambda: user)


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("embedded", Choice("embedded", "vrooli")),
        ("embedded:mine", Choice("embedded", "mine")),
        ("minikube", Choice("minikube", "minikube")),
        ("kind:ci", Choice("kind", "ci")),
        ("context:arn:aws:eks", Choice("context", "arn:aws:eks")),
    ],
)
def test_a_named_cluster_is_that_one(text: str, choice: Choice) -> None:
    assert parse(text) == choice
    assert parse(str(choice)) == choice


def test_an_unknown_kind_is_refused_with_the_existing_ones() -> None:
    with pytest.raises(UsageError) as refused:
        parse("k3s")
    assert "embedded, minikube, kind, context" in refused.value.advice


def test_a_context_requires_its_name() -> None:
    with pytest.raises(UsageError, match="needs the context's name"):
        parse("context")


async def test_a_running_minikube_profile_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    _host(monkeypatch, minikube="work other")
    assert await choose(None) == Choice("minikube", "work")


async def test_a_named_cluster_beats_a_running_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    _host(monkeypatch, minikube="work")
    assert await choose("embedded") == Choice("embedded", "vrooli")


async def test_root_on_linux_gets_the_embedded_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    _host(monkeypatch)
    assert await choose(None) == Choice("embedded", "vrooli")


@pytest.mark.parametrize(("system", "user"), [("Linux", 1000), ("Darwin", 0)])
async def test_where_none_can_be_made_the_error_lists_what_would_help(
    monkeypatch: pytest.MonkeyPatch, system: str, user: int
) -> None:
    _host(monkeypatch, system=system, user=user)
    with pytest.raises(PrerequisiteError) as lack:
        await choose(None)
    assert all(word in lack.value.advice for word in ("sudo", "minikube", "kind", "context"))


@pytest.mark.anyio
async def test_the_turn_of_an_embedded_cluster_creates_nothing_where_others_can_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root must trust files")
    tmp_path.chmod(0o777)
    monkeypatch.setenv("VROOLI_STATE_DIR", str(tmp_path / "state"))
    with pytest.raises(PrerequisiteError, match=f"{tmp_path} can be changed by other users"):
        async with Choice("embedded", "vrooli").turn(silent):
            pass
    assert list(tmp_path.iterdir()) == []
    async with Choice("context", "far").turn(silent):  # its files are not used as root
        assert (tmp_path / "state").is_dir()
