"""Deleting a cluster's data touches nothing that is mounted from elsewhere."""

from __future__ import annotations

from pathlib import Path

from vrooli.cluster.embedded.lifecycle.cleanup import mounts_below

MOUNTS = """\
22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw
40 22 0:50 / /state/clusters/one/storage/nas rw shared:2 - nfs nas:/ rw
41 22 0:51 / /state/clusters/one-more rw shared:3 - tmpfs tmpfs rw
"""


def test_a_mount_inside_the_folder_is_found_and_a_neighbours_is_not() -> None:
    found = mounts_below(Path("/state/clusters/one"), MOUNTS)
    assert found == [Path("/state/clusters/one/storage/nas")]
