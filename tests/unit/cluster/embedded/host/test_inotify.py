"""The limits of inotify that a cluster needs."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from support.cluster.embedded_samples import MODERN
from vrooli.cluster.embedded.host import inotify, inspection
from vrooli.cluster.embedded.host.inotify import Inotify
from vrooli.errors import PrerequisiteError


@pytest.mark.parametrize(
    ("limits", "parts"),
    [
        (Inotify(24, 0, 8192), ["fs.inotify.max_user_instances is 24", "1024"]),
        (Inotify(128, 100, 8192), ["is 128, and root uses 100"]),
        (Inotify(128, 20, 100), ["fs.inotify.max_user_watches is 100", "524288"]),
    ],
)
def test_a_low_limit_is_refused_with_its_name_value_and_a_sufficient_one(
    limits: Inotify, parts: list[str]
) -> None:
    with pytest.raises(PrerequisiteError) as raised:
        inspection.require(replace(MODERN, inotify=limits))
    for part in parts:
        assert part in raised.value.advice
    assert "`sysctl -w fs.inotify." in raised.value.advice


@pytest.mark.parametrize("limits", [Inotify(128, 40, 8192), Inotify(), Inotify(1024, 500, None)])
def test_the_kernels_default_is_sufficient_while_enough_is_free(limits: Inotify) -> None:
    inspection.require(replace(MODERN, inotify=limits))


def test_the_instances_of_processes_are_counted(tmp_path: Path) -> None:
    for name, value in ((inotify.INSTANCES, "128\n"), (inotify.WATCHES, "8192\n")):
        (tmp_path / name).write_text(value)
    for process, links in ((1, [inotify.LINK, "socket:[1]", inotify.LINK]), (2, []), (3, None)):
        folder = tmp_path / str(process)
        folder.mkdir()
        if links is not None:
            (folder / "fd").mkdir()
            for number, link in enumerate(links):
                (folder / "fd" / str(number)).symlink_to(link)
    used = 2 if os.geteuid() == 0 else 0  # only root's processes count
    assert inotify.probe(tmp_path, tmp_path) == Inotify(128, used, 8192)


def test_an_unreadable_limit_is_unknown(tmp_path: Path) -> None:
    assert inotify.probe(tmp_path, tmp_path) == Inotify()
