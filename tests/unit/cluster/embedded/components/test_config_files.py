"""The components' configuration: as on any host, relaxed only for what this one lacks."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest
import yaml

from support.cluster.embedded_samples import CONSTRAINED, MODERN, layout, record
from vrooli.cluster.embedded.components import certificates, config_files, containerd_config
from vrooli.cluster.embedded.host.inspection import Host

RUNTIME = "io.containerd.cri.v1.runtime"
IMAGES = "io.containerd.cri.v1.images"
RELAXATIONS = ("featureGates", "failSwapOn", "oomScoreAdj", "failCgroupV1")


def test_nothing_is_relaxed_on_a_modern_host(tmp_path: Path) -> None:
    kubelet = config_files.kubelet(layout(tmp_path), record(), MODERN)
    assert not kubelet.keys() & set(RELAXATIONS)
    assert kubelet["cgroupsPerQOS"] is True


def test_each_lack_of_a_constrained_host_is_relaxed(tmp_path: Path) -> None:
    kubelet = config_files.kubelet(layout(tmp_path), record(), CONSTRAINED)
    assert kubelet["featureGates"] == {"KubeletInUserNamespace": True}
    assert kubelet["failSwapOn"] is False
    assert kubelet["failCgroupV1"] is False


@pytest.mark.parametrize(
    ("host", "snapshotter", "restricted", "apparmor_off"),
    [(MODERN, "overlayfs", False, False), (CONSTRAINED, "native", True, True)],
)
def test_containerd_stacks_images_as_the_host_can(
    tmp_path: Path, host: Host, snapshotter: str, restricted: bool, apparmor_off: bool
) -> None:
    plugins = tomllib.loads(containerd_config.containerd(layout(tmp_path), record(), host))[
        "plugins"
    ]
    assert plugins[IMAGES]["snapshotter"] == snapshotter
    assert plugins[RUNTIME]["restrict_oom_score_adj"] is restricted
    assert plugins[RUNTIME]["disable_apparmor"] is apparmor_off


def test_the_pause_image_is_pinned_and_images_are_never_collected(tmp_path: Path) -> None:
    place = layout(tmp_path)
    plugins = tomllib.loads(containerd_config.containerd(place, record(), MODERN))["plugins"]
    assert plugins[IMAGES]["pinned_images"] == {"sandbox": "localhost/vrooli/pause:1"}
    assert config_files.kubelet(place, record(), MODERN)["imageGCHighThresholdPercent"] == 100


def test_containers_run_with_the_runc_of_the_catalog(tmp_path: Path) -> None:
    plugins = tomllib.loads(containerd_config.containerd(layout(tmp_path), record(), MODERN))[
        "plugins"
    ]
    options = plugins[RUNTIME]["containerd"]["runtimes"]["runc"]["options"]
    assert options["BinaryName"] == record().program("runc")


def test_everything_of_containerd_stays_below_the_cluster(tmp_path: Path) -> None:
    place = layout(tmp_path)
    settings = tomllib.loads(containerd_config.containerd(place, record(), MODERN))
    for path in (settings["root"], settings["state"], settings["grpc"]["address"]):
        assert Path(path).is_relative_to(place.root)


@pytest.mark.parametrize(("host", "all_masked"), [(MODERN, False), (CONSTRAINED, True)])
def test_services_work_even_where_bridges_pass_no_rules(
    tmp_path: Path, host: Host, all_masked: bool
) -> None:
    proxy = config_files.kube_proxy(layout(tmp_path), record(), host)
    assert proxy["nftables"]["masqueradeAll"] is all_masked


def test_the_persons_kubeconfig_is_private_and_leads_to_localhost(tmp_path: Path) -> None:
    place = layout(tmp_path)
    certificates.ensure(place.pki, place.node, record().host_link)
    config_files.write_all(place, record(), MODERN)
    content = yaml.safe_load(place.kubeconfig.read_text())
    assert content["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:1001"
    for file in (place.kubeconfig, *place.config.glob("*.kubeconfig")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
