"""What the values request, and whether the nodes have it."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakes.check_site import names, node, pod, rendered, site
from vrooli.checks.nodes import capacity, gpu, planned_pods
from vrooli.checks.nodes.planned_pods import PodGroup
from vrooli.kube import quantities


@pytest.mark.parametrize(
    ("text", "number"),
    [("250m", 0.25), ("1.5", 1.5), ("2Gi", 2 * 1024**3), ("5M", 5e6), ("1e3", 1000), (2, 2)],
)
def test_a_quantity_is_read_as_kubernetes_means_it(text: object, number: float) -> None:
    assert quantities.number(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["", "Gi", "1Xi", "1 Gi x"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no quantity"):
        quantities.number(text)


def test_a_pod_wants_its_containers_together_or_its_greatest_first_one() -> None:
    spec = {
        "containers": [
            {"resources": {"requests": {"cpu": "100m"}}},
            {"resources": {"limits": {"cpu": "200m"}}},
        ],
        "initContainers": [{"resources": {"requests": {"cpu": "50m", "memory": "1Gi"}}}],
    }
    assert quantities.of_pod(spec) == pytest.approx({"cpu": 0.3, "memory": 1024**3})


def test_the_pods_of_a_release_are_those_of_deployments_and_of_the_operators() -> None:
    result = {group.name: group for group in planned_pods.planned_pods(rendered("prod"))}
    assert result["vrooli-prod-server"].count == 3  # the autoscaler's least
    assert result["vrooli-prod-ui"].count == 2
    assert result["vrooli-pg instance"].count == 2
    assert result["vrooli-pg instance"].requests["cpu"] > 1  # its helpers, too
    assert result["vrooli-pg pgbouncer"].count == 2
    assert result["vrooli-pg repo-host"].count == 1
    assert result["vrooli-rf redis"].count == result["vrooli-rf sentinel"].count == 3


def test_pods_that_fit_beside_what_runs_leave_nothing_to_say() -> None:
    nodes = capacity.usable([node()], [pod("1", "1Gi")])
    observed = capacity.judge(planned_pods.planned_pods(rendered()), nodes)
    assert observed.findings == ()
    assert "3000m CPU" in observed.summary


def test_pods_without_a_place_are_named_with_what_they_want() -> None:
    nodes = capacity.usable([node(cpu="1")], [pod("900m", "1Gi")])
    observed = capacity.judge(
        [PodGroup("big", 2, {"cpu": 0.5}), PodGroup("small", 1, {"cpu": 0.05})], nodes
    )
    assert names(observed) == ["big"]
    assert "2 of 2 pods do not fit: no suitable node has 500m CPU" in observed.findings[0].message


def test_all_of_the_memory_may_be_free_and_yet_no_node_have_enough() -> None:
    nodes = capacity.usable([node("one", memory="1Gi"), node("two", memory="1Gi")], [])
    assert names(capacity.judge([PodGroup("big", 1, {"memory": 1.5 * 1024**3})], nodes)) == ["big"]


def test_ended_pods_take_no_room() -> None:
    (result,) = capacity.usable([node(cpu="1")], [pod("1", "1Gi", phase="Succeeded")])
    assert result.free["cpu"] == 1


def test_nodes_that_take_no_pods_do_not_count() -> None:
    sick = node("sick")
    sick["status"]["conditions"][0]["status"] = "Unknown"
    assert capacity.usable([sick, node("closed", unschedulable=True)], []) == []


def test_a_taint_keeps_pods_away_that_do_not_bear_it() -> None:
    taints = [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]
    nodes = capacity.usable([node(taints=taints)], [])
    plain = PodGroup("plain", 1, {"cpu": 0.1})
    bearing = PodGroup("b", 1, {"cpu": 0.1}, tolerations=({"key": "gpu", "operator": "Exists"},))
    equal = PodGroup("e", 1, {"cpu": 0.1}, tolerations=({"key": "gpu", "value": "yes"},))
    assert names(capacity.judge([plain, bearing, equal], nodes)) == ["plain"]


def test_a_selector_keeps_pods_from_nodes_without_its_labels() -> None:
    nodes = capacity.usable([node()], [])
    here = PodGroup("here", 1, {"cpu": 0.1}, {"disk": "fast"})
    nowhere = PodGroup("nowhere", 1, {"cpu": 0.1}, {"disk": "slow"})
    assert names(capacity.judge([here, nowhere], nodes)) == ["nowhere"]


def test_a_node_takes_only_so_many_pods() -> None:
    full = node()
    full["status"]["allocatable"]["pods"] = "1"
    assert names(
        capacity.judge([PodGroup("two", 2, {"cpu": 0.1})], capacity.usable([full], []))
    ) == ["two"]


def test_the_pods_of_this_very_release_are_not_counted() -> None:
    manifests = rendered()
    for labels in (
        {"app.kubernetes.io/instance": "vrooli-dev"},
        {"postgres-operator.crunchydata.com/cluster": "vrooli-pg"},
        {"app.kubernetes.io/name": "vrooli-rf"},
    ):
        ours = {"metadata": {"namespace": "dev", "labels": labels}}
        assert planned_pods.is_ours(ours, "dev", manifests)
        assert not planned_pods.is_ours(ours, "other", manifests)
    assert not planned_pods.is_ours({"metadata": {"namespace": "dev"}}, "dev", manifests)


GPU: dict[str, Any] = {"services": {"nsfwDetector": {"gpu": {"enabled": True, "count": 2}}}}


def test_gpus_are_not_needed_unless_the_values_ask_for_them() -> None:
    assert gpu.skip_reason(site(rendered())) == "these values request no GPU"
    assert gpu.skip_reason(site(rendered(**GPU))) == ""


def test_nodes_without_enough_gpus_are_found() -> None:
    expected = planned_pods.planned_pods(rendered(**GPU))
    none, one, two = node(), node(), node()
    one["status"]["allocatable"]["nvidia.com/gpu"] = "1"
    two["status"]["allocatable"]["nvidia.com/gpu"] = "2"
    assert names(gpu.judge(expected, [none])) == ["vrooli-dev-nsfw-detector"]
    # Two that stand on two nodes serve no pod that asks for both.
    assert names(gpu.judge(expected, [one, one])) == ["vrooli-dev-nsfw-detector"]
    assert gpu.judge(expected, [two]).summary == "1 x 2 nvidia.com/gpu"
