"""Processes of a cluster that are killed: only those of its cgroup, program and pod."""

from __future__ import annotations

from pathlib import Path

from vrooli.cluster.embedded.lifecycle import kill


def test_only_the_program_of_the_pod_in_the_cluster_is_found(tmp_path: Path) -> None:
    for process, program, pod in (
        (1, "redis-server", "rfr-0"),
        (2, "redis-server", "rfr-1"),
        (3, "redis-exporter", "rfr-0"),
        (4, "redis-server", "rfr-0"),
    ):
        folder = tmp_path / str(process)
        folder.mkdir()
        (folder / "comm").write_text(f"{program}\n")
        (folder / "environ").write_bytes(f"A=B\0HOSTNAME={pod}\0".encode())
    # 4 is not in the cluster's cgroup, and 5 has ended.
    assert kill.find_in_pod({1, 2, 3, 5}, "rfr-0", "redis-server", tmp_path) == [1]
