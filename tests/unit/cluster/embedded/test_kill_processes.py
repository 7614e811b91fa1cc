"""Processes of a cluster that are killed: only those of its cgroup, program and pod."""

from __future__ import annotations

from pathlib import Path

from vrooli.cluster.embedded.lifecycle import kill


def test_only_the_program_of_the_pod_in_the_cluster_is_found(tmp_path: Path) -> None:
    for process, program, pod in (
        (1, "redis-server", "1-a"),
        (2, "redis-server", "1-ab"),
        (3, "redis-exporter", "1-a"),
        (4, "redis-server", "1-a"),
    ):
        folder = tmp_path / str(process)
        folder.mkdir()
        (folder / "comm").write_text(f"{program}\n")
        (folder / "cgroup").write_text(f"0::/vrooli-c/pods/burstable/pod{pod}/0123\n")
    # 4 is not in the cluster's cgroup, and 5 has ended.
    assert kill.find_in_pod({1, 2, 3, 5}, "1-a", "redis-server", tmp_path) == [1]
