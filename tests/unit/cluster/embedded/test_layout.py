"""Names and places of clusters, and what is remembered of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cluster.embedded_samples import record
from vrooli.cluster.embedded.components.catalog import PROGRAMS
from vrooli.cluster.embedded.layout import Layout
from vrooli.cluster.embedded.lifecycle.start import UNASSIGNED, merge_record
from vrooli.cluster.embedded.settings import AddonImages, Record, Settings
from vrooli.errors import UsageError

PROGRAM_PATHS = {name: Path("/programs") / name for name in (*PROGRAMS, "traefik")}
IMAGES = AddonImages(Path("/images.tar"))


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a.b", "a/b", "..", "a" * 32])
def test_a_name_that_others_could_not_carry_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        Layout.of(Path("/state"), name)


def test_a_state_folder_too_deep_for_sockets_is_refused() -> None:
    with pytest.raises(UsageError, match="too long"):
        Layout.of(Path("/" + "x" * 90), "one")


@pytest.mark.parametrize("folder", ["/my state", "/a,b", "/a:b", "/a'b", "/a\\b"])
def test_a_state_folder_that_mounts_could_not_name_is_refused(folder: str) -> None:
    with pytest.raises(UsageError, match="characters"):
        Layout.of(Path(folder), "one")


def test_two_clusters_of_one_name_in_two_folders_have_nothing_in_common() -> None:
    one, other = Layout.of(Path("/a"), "dev"), Layout.of(Path("/b"), "dev")
    assert one.identity != other.identity


def test_the_lock_outlives_the_clusters_folder() -> None:
    place = Layout.of(Path("/state"), "one")
    assert not place.lock.is_relative_to(place.root)


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    record().write(tmp_path / "cluster.json")
    assert Record.read(tmp_path / "cluster.json") == record()


def test_a_missing_record_means_that_there_is_no_cluster(tmp_path: Path) -> None:
    assert Record.read(tmp_path / "cluster.json") is None


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"index": 1}'])
def test_a_damaged_record_is_an_error_and_not_a_new_cluster(tmp_path: Path, content: str) -> None:
    (tmp_path / "cluster.json").write_text(content)
    with pytest.raises(UsageError, match="damaged"):
        Record.read(tmp_path / "cluster.json")


def test_a_new_cluster_has_the_default_ports() -> None:
    wanted = merge_record(None, Settings(), PROGRAM_PATHS, IMAGES)
    assert wanted.ports == {"api": 26443, "http": 28080, "https": 28443}
    assert wanted.index == UNASSIGNED


def test_what_was_chosen_once_stays_chosen() -> None:
    known = merge_record(None, Settings(ports={"http": 8080}), PROGRAM_PATHS, IMAGES)
    assert merge_record(known, Settings(), PROGRAM_PATHS, IMAGES) == known


def test_any_free_port_stays_the_one_that_was_found() -> None:
    known = record(ports={"api": 41, "http": 42, "https": 43})
    again = merge_record(known, Settings(ports={"api": 0, "https": 44}), PROGRAM_PATHS, IMAGES)
    assert again.ports == {"api": 41, "http": 42, "https": 44}


def test_only_programs_of_the_cluster_itself_are_remembered() -> None:
    wanted = merge_record(None, Settings(), PROGRAM_PATHS, IMAGES)
    assert set(wanted.programs) == set(PROGRAMS)


def test_an_unknown_port_is_refused() -> None:
    with pytest.raises(UsageError, match="ssh"):
        Settings(ports={"ssh": 22})
