"""The catalog agrees with the pinned Go modules."""

import re

import pytest

from vrooli.programs.catalog import GROUPS
from vrooli.programs.model import Group
from vrooli.programs.versions import ETCD

by_name = pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)


@by_name
def test_the_module_is_pinned_at_the_catalog_s_version(group: Group) -> None:
    path, _, version = group.module.partition("@")
    pinned = (group.go_dir / "go.mod").read_text()
    assert re.search(rf"^\s*(require )?{re.escape(path)} {re.escape(version)}$", pinned, re.M)


@by_name
def test_the_sum_of_the_module_is_recorded(group: Group) -> None:
    recorded = (group.go_dir / "go.sum").read_text()
    module = group.module.replace("@", " ")
    for line in (f"{module} h1:", f"{module}/go.mod h1:"):
        assert f"\n{line}" in f"\n{recorded}"


@by_name
def test_every_remote_package_is_imported_so_that_its_module_stays_pinned(group: Group) -> None:
    remote = [package for package in group.packages.values() if not package.startswith("./")]
    imports = (group.go_dir / "imports.go").read_text() if remote else ""
    assert [package for package in remote if f'"{package}"' not in imports] == []


@by_name
def test_every_download_offers_programs_of_its_group(group: Group) -> None:
    offered = {name for offer in group.downloads for name in offer.members}
    assert offered <= group.packages.keys()


def test_no_program_is_in_two_groups() -> None:
    names = [name for group in GROUPS for name in group.packages]
    assert len(names) == len(set(names))


def test_the_downloaded_etcd_is_the_built_one() -> None:
    pinned = (GROUPS[0].go_dir / "go.mod").read_text()
    assert f"go.etcd.io/etcd/server/v3 v{ETCD}\n" in pinned


def test_local_path_provisioner_uses_the_packages_that_kubernetes_has_compiled() -> None:
    """Other versions of them would be compiled once more, which takes minutes."""
    of_kubernetes = _pinned("kubernetes")
    found = _pinned("local-path-provisioner")
    assert "k8s.io/client-go" in found.keys() & of_kubernetes.keys()
    for module in found.keys() & of_kubernetes.keys():
        assert of_kubernetes[module] == found[module], module


def _pinned(group: str) -> dict[str, str]:
    """The modules of a group's go.mod, with their versions."""
    file = next(found for found in GROUPS if found.name == group).go_dir / "go.mod"
    return dict(re.findall(r"^\s*(\S+/\S+) (v\S+)", file.read_text(), re.M))


def test_the_key_follows_what_is_built() -> None:
    group = GROUPS[0]
    assert group.key() == group.key()
    assert group.key() != group.only({"pause": "./pause"}).key()
