"""The components' order, and what they are started with."""

from __future__ import annotations

from pathlib import Path

from support.cluster.embedded_samples import layout, record
from vrooli.cluster.embedded.components.catalog import PROGRAMS, STOP_ORDER, Component, components
from vrooli.cluster.embedded.supervisor.backoff import LONGEST_BACKOFF_S, backoffs


def _all(tmp_path: Path) -> dict[str, Component]:
    return {part.name: part for part in components(layout(tmp_path), record())}


def test_every_component_starts_after_those_it_stands_on(tmp_path: Path) -> None:
    seen: set[str] = set()
    for component in _all(tmp_path).values():
        assert set(component.after) <= seen
        seen.add(component.name)


def test_every_component_is_stopped_once(tmp_path: Path) -> None:
    assert sorted(STOP_ORDER) == sorted(_all(tmp_path))


def test_the_api_server_is_stopped_before_etcd_and_the_kubelet_first_of_all() -> None:
    assert STOP_ORDER[0] == "kubelet"
    assert STOP_ORDER.index("kube-apiserver") < STOP_ORDER.index("etcd")


def test_every_component_runs_in_the_clusters_network_and_ends_with_its_supervisor(
    tmp_path: Path,
) -> None:
    netns = layout(tmp_path).netns
    for component in _all(tmp_path).values():
        assert component.argv[:4] == ("setpriv", "--pdeathsig", "KILL", "nsenter")
        assert component.argv[4] == f"--net={netns}"


def test_only_programs_that_were_given_are_started(tmp_path: Path) -> None:
    started = {Path(component.argv[5]) for component in _all(tmp_path).values()}
    assert started <= {Path("/programs") / name for name in PROGRAMS}


def test_no_secret_is_on_a_command_line(tmp_path: Path) -> None:
    words = [word for component in _all(tmp_path).values() for word in component.argv]
    assert not [word for word in words if "password" in word or "token=" in word]


def test_etcd_skips_the_disk_only_when_the_cluster_may_be_lost(tmp_path: Path) -> None:
    assert "--unsafe-no-fsync" not in _all(tmp_path)["etcd"].argv
    careless = components(layout(tmp_path), record(durable=False))[0]
    assert "--unsafe-no-fsync" in careless.argv


def test_a_component_that_keeps_dying_is_started_ever_more_slowly_up_to_a_bound() -> None:
    pauses = backoffs()
    seen = [next(pauses) for _ in range(10)]
    assert seen == sorted(seen)
    assert seen[0] < 1
    assert seen[-1] == seen[-2] == LONGEST_BACKOFF_S
