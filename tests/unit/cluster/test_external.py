"""Clusters that someone else's program runs, as far as they can be seen without them."""

import stat
from pathlib import Path

import pytest

from vrooli import process
from vrooli.cluster import external, minikube_profiles
from vrooli.cluster.external import ContextCluster, KindCluster, MinikubeCluster
from vrooli.errors import PrerequisiteError, UsageError
from vrooli.events import Progress
from vrooli.process import Completed

KUBECONFIG = "apiVersion: v1\nkind: Config\n"


class Programs:
    """Answers only the argv lists that it was told; any other fails the test."""

    def __init__(self, answers: dict[str, Completed]) -> None:
        self.answers, self.ran = answers, list[str]()

    async def run(self, argv: list[str], **settings: object) -> Completed:
        words = " ".join(argv)
        self.ran.append(words)
        return self.answers[words]


def _programs(monkeypatch: pytest.MonkeyPatch, **answers: str) -> Programs:
    programs = Programs({argv: Completed(text, "", 0) for argv, text in answers.items()})
    monkeypatch.setattr(process, "run", programs.run)
    monkeypatch.setattr(external.shutil, "which", lambda name: f"/usr/bin/{name}")
    return programs


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            '{"valid": [{"Name": "a", "Status": "Running"}, {"Name": "b", "Status": "Stopped"}]}',
            "a",
        ),
        ('{"valid": [{"Name": "a", "Status": "OK"}]}', "a"),
        ('{"valid": null}', ""),
        ("no JSON", ""),
    ],
)
def test_only_running_minikube_profiles_count(text: str, names: str) -> None:
    assert minikube_profiles.parse_running(text) == names.split()


async def test_a_kubeconfig_is_whole_for_whoever_reads_it_while_it_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cluster = ContextCluster("a", tmp_path / "a")
    command = "kubectl config view --minify --flatten --context a"
    _programs(monkeypatch, **{command: KUBECONFIG})
    await cluster._write_kubeconfig()
    with cluster.kubeconfig.open() as reader:
        _programs(monkeypatch, **{command: f"{KUBECONFIG}users: []\n"})
        await cluster._write_kubeconfig()
        assert reader.read() == KUBECONFIG
    assert cluster.kubeconfig.read_text() != KUBECONFIG
    assert stat.S_IMODE(cluster.kubeconfig.stat().st_mode) == 0o600
    assert [path.name for path in cluster.folder.iterdir()] == ["kubeconfig"]


async def test_a_running_minikube_profile_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    programs = _programs(
        monkeypatch,
        **{
            "minikube profile list --output json": '{"valid": [{"Name": "a", "Status": "OK"}]}',
            "kubectl config view --minify --flatten --context a": KUBECONFIG,
        },
    )
    done = await MinikubeCluster("a", tmp_path).ensure_running(Progress())
    assert not done.changed
    assert not [words for words in programs.ran if "start" in words]


async def test_a_stopped_minikube_profile_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    programs = _programs(
        monkeypatch,
        **{
            "minikube profile list --output json": '{"valid": []}',
            "minikube start --profile a": "",
            "kubectl config view --minify --flatten --context a": KUBECONFIG,
        },
    )
    done = await MinikubeCluster("a", tmp_path).ensure_running(Progress())
    assert done.changed
    assert "minikube start --profile a" in programs.ran


async def test_a_kind_cluster_s_kubeconfig_is_a_file_of_its_own_that_others_can_t_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _programs(
        monkeypatch,
        **{"kind get clusters": "a\nb\n", "kind get kubeconfig --name a": KUBECONFIG},
    )
    cluster = KindCluster("a", tmp_path / "kind-a")
    await cluster.ensure_running(Progress())
    assert cluster.kubeconfig.read_text() == KUBECONFIG
    assert stat.S_IMODE(cluster.kubeconfig.stat().st_mode) == 0o600


async def test_an_unknown_context_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    programs = Programs(
        {
            "kubectl config view --minify --flatten --context a": Completed(
                "", "error: cannot locate context a", 1
            )
        }
    )
    monkeypatch.setattr(process, "run", programs.run)
    with pytest.raises(UsageError, match="no context 'a'"):
        await ContextCluster("a", tmp_path).ensure_running(Progress())


async def test_a_context_s_cluster_is_told_to_pull(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match="it pulls them"):
        await ContextCluster("a", tmp_path).load_images(tmp_path / "a.tar", Progress())
