"""What the other checks say of what they see."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from support.fakes.check_site import names, node, rendered, site, storage_class
from support.fakes.cluster import FakeCluster
from support.fakes.registry import digest_of, serve
from vrooli.checks import catalog, probe_objects, probe_pods, runner, tools
from vrooli.checks.cluster import api_server, permissions
from vrooli.checks.images import local, pull_secret, reference, registry
from vrooli.checks.interface import UnavailableError
from vrooli.checks.network import connectivity, ingress_class, ingress_controller
from vrooli.checks.storage import classes as storage_classes
from vrooli.checks.storage import volumes
from vrooli.workflows.checks.check import CONNECT_S

HUB = {"image": {"registry": "docker.io/someone"}, "vso": {"enabled": False}}


def test_every_check_has_a_name_of_its_own_and_says_what_it_looks_at() -> None:
    result = [check.name for check in catalog.ALL]
    assert len(result) == len(set(result))
    assert all(check.description and check.title for check in catalog.ALL)


def test_all_of_it_ends_within_thirty_seconds() -> None:
    assert CONNECT_S + runner.LIMIT_S + 2 * probe_pods.CLEAN_S <= 30


def test_checks_that_wait_for_others_name_checks_that_there_are() -> None:
    names_of_all = {check.name for check in catalog.ALL}
    assert {name for check in catalog.ALL for name in check.after} <= names_of_all


def test_what_a_deploy_looks_at_makes_nothing() -> None:
    assert [check.name for check in catalog.STOP_DEPLOYS if check.creates] == []
    assert {check.name for check in catalog.STOP_DEPLOYS} >= {
        "permissions",
        "api-resources",
        "dry-run",
        "vault",
    }


# Storage


def test_named_classes_and_the_default_are_there_or_told() -> None:
    classes = [storage_class("usual", default=True), storage_class("fast")]
    assert storage_classes.judge(("", "fast"), classes).summary == "usual, fast"
    assert names(storage_classes.judge(("slow",), classes)) == ["StorageClass/slow"]
    assert names(storage_classes.judge(("",), classes[1:])) == ["StorageClass"]
    assert "Existing classes: none." in storage_classes.judge(("x",), []).findings[0].remediation


def test_values_without_volumes_need_no_class() -> None:
    assert storage_classes.skip_reason(site()) == "these values use no volumes"
    assert storage_classes.skip_reason(site(rendered())) == ""


def _claim(name: str, phase: str = "Bound") -> dict[str, Any]:
    return {"spec": {"storageClassName": name}, "status": {"phase": phase}}


def test_without_making_anything_bound_volumes_of_each_class_are_the_sign() -> None:
    claims = [_claim("usual"), _claim("usual"), _claim("fast", "Pending")]
    assert volumes.judge_bound(["usual"], claims).summary == "2 volumes of usual are bound"
    with pytest.raises(UnavailableError, match="no volume of class fast is bound"):
        volumes.judge_bound(["usual", "fast"], claims)


# Cluster


@pytest.mark.parametrize(
    ("version", "fine"),
    [("v1.37.2", True), ("v1.23.0", True), ("v1.22.15", False), ("v1.9.0-eks", False), ("", False)],
)
def test_a_cluster_is_as_new_as_the_chart_wants_or_told(version: str, fine: bool) -> None:
    assert (api_server.judge_version(version, (1, 23, 0)) == []) is fine


def test_the_oldest_version_is_the_charts() -> None:
    assert api_server.least() == (1, 23, 0)


def test_a_node_that_is_not_ready_is_told_with_its_own_words() -> None:
    sick = node("sick")
    sick["status"]["conditions"] = [{"type": "Ready", "status": "False", "message": "no network"}]
    (finding,) = api_server.judge_nodes([node(), sick])
    assert (finding.resource, finding.message) == ("Node/sick", "it is not ready: no network.")
    assert [finding.resource for finding in api_server.judge_nodes([])] == ["nodes"]


# Tools


def test_tools_that_are_missing_are_told_and_peoples_are_only_named() -> None:
    fine = tools.judge((3, 11), {"kr8s": "1"}, {"kind": "/bin/kind"}, "on PATH: no helm")
    assert fine.findings == ()
    assert "on PATH: no helm" in fine.summary
    missing = tools.judge((3, 9), {"kr8s": ""}, {"kind": ""}, "")
    assert names(missing) == ["Python", "kr8s", "kind"]


async def test_this_very_environment_has_what_the_product_needs() -> None:
    observed = await tools.run(site())
    assert observed.findings == ()
    assert "helm-python-sdk" in observed.summary


# Ingress


def _workload(kind: str, ready: int) -> dict[str, Any]:
    status = {
        "replicas": 1,
        "updatedReplicas": 1,
        "availableReplicas": ready,
        "desiredNumberScheduled": 1,
        "numberReady": ready,
    }
    return {"kind": kind, "metadata": {"name": "c"}, "spec": {"replicas": 1}, "status": status}


def test_an_ingress_class_that_is_not_there_is_told_with_those_that_are() -> None:
    observed = ingress_class.judge(("nginx",), [{"metadata": {"name": "traefik"}}])
    assert names(observed) == ["IngressClass/nginx"]
    assert "ingress.className to an existing class (traefik)" in observed.findings[0].remediation
    none = ingress_class.judge(("nginx",), []).findings[0]
    assert "the cluster has no class" in none.remediation
    assert "ingress.className" in none.message


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet"])
def test_a_controller_is_at_work_when_its_pods_are_ready(kind: str) -> None:
    assert ingress_controller.judge("c/x", "l=x", [_workload(kind, 1)]).findings == ()
    (finding,) = ingress_controller.judge("c/x", "l=x", [_workload(kind, 0)]).findings
    assert "0 of 1 pods are" in finding.message


def test_a_controller_that_nothing_runs_for_is_told() -> None:
    (finding,) = ingress_controller.judge("c/x", "l=x", []).findings
    assert finding.message == "it has no workload."


def test_without_an_ingress_no_controller_is_needed() -> None:
    here = site(rendered(ingress={"enabled": False}))
    assert ingress_class.skip_reason(here) == ingress_controller.CHECK.skip_reason(here)
    assert ingress_class.skip_reason(here) != ""


# Images and registries


def test_local_images_that_no_node_has_are_told() -> None:
    has = node()
    has["status"]["images"] = [{"names": ["localhost/a:1"]}, {"names": None}]
    observed = local.judge(["localhost/a:1", "localhost/b:1"], [has])
    assert names(observed) == ["localhost/b:1"]
    assert observed.summary == "1 of 2 local images are on nodes"


@pytest.mark.parametrize(
    "told",
    [
        [{"names": [f"localhost/a:{number}" for number in range(5)]}],
        [{"names": [f"localhost/of-{number}:1"]} for number in range(50)],
    ],
    ids=["names", "images"],
)
def test_what_a_cut_list_may_hide_is_not_called_missing(told: list[dict[str, Any]]) -> None:
    cut = node()
    cut["status"]["images"] = told
    observed = local.judge(["localhost/b:1"], [cut])
    assert not observed.findings
    assert observed.unavailable == ("localhost/b:1 (the nodes' image lists are truncated)",)
    # The runtime itself tells of all.
    assert names(local.judge(["localhost/b:1"], [cut], frozenset({"localhost/c:1"}))) == [
        "localhost/b:1"
    ]
    assert not local.judge(["localhost/b:1"], [cut], frozenset({"localhost/b:1"})).unavailable


@pytest.mark.parametrize(
    ("image", "url"),
    [
        ("redis:7", "https://registry-1.docker.io/v2/library/redis/manifests/7"),
        ("docker.io/someone/ui:1", "https://registry-1.docker.io/v2/someone/ui/manifests/1"),
        ("quay.io/a/b", "https://quay.io/v2/a/b/manifests/latest"),
        ("127.0.0.1:5000/a:1", "http://127.0.0.1:5000/v2/a/manifests/1"),
        ("r.example/a@sha256:00", "https://r.example/v2/a/manifests/sha256:00"),
    ],
)
def test_an_image_is_looked_for_where_runtimes_pull_it_from(image: str, url: str) -> None:
    assert reference.parse(image).url == url


def test_what_registries_answer_is_told_as_far_as_it_says_anything() -> None:
    observed = registry.judge(5, {"a": 200, "b": 404, "c": 401, "d": 0})
    assert names(observed) == ["b"]
    assert observed.summary == "2 of 5 images are on nodes or in their registries"
    assert [text.partition(" ")[0] for text in observed.unavailable] == ["c", "d"]


def test_what_a_registry_hides_from_anyone_may_be_there_for_the_pull_secret() -> None:
    answers = {"r.example/a:1": 404, "r.example/c:1": 404, "someone/b:1": 404}
    observed = registry.judge(3, answers, ("r.example/a:1", "someone/b:1"))
    assert names(observed) == ["r.example/c:1", "someone/b:1"]
    (unseen,) = observed.unavailable
    assert unseen.startswith("r.example/a:1 (")
    assert "pull secret" in unseen
    assert names(registry.judge(3, answers)) == list(answers)


def test_a_rate_limit_and_a_required_login_are_named_with_their_registry() -> None:
    answers = {"r.example/a:1": 429, "q.example/team/b:1": 401, "q.example/c:1": 403}
    observed = registry.judge(3, answers)
    assert observed.findings == ()
    closed, limited = observed.unavailable
    assert closed == (
        "q.example/team/b:1, q.example/c:1 (q.example requires credentials with the scope "
        "repository:team/b:pull, repository:c:pull)"
    )
    assert limited.startswith("r.example/a:1 (the rate limit of r.example is reached")


async def test_a_placeholder_is_named_with_its_value_and_no_registry_is_asked() -> None:
    result = await registry.run(site(rendered("prod"), FakeCluster(), kind="context"))
    assert {item.resource.split("/")[1] for item in result.findings} == {registry.PLACEHOLDER}
    assert all("dockerhubUsername" in item.remediation for item in result.findings)


async def test_an_embedded_cluster_pulls_nothing_so_what_is_not_loaded_is_refused() -> None:
    loaded = {"docker.io/library/redis:7.4.6-alpine", "localhost/vrooli/ui:1"}
    objects = rendered("prod", **HUB)
    where = site(objects, FakeCluster(), kind="embedded", loaded=frozenset(loaded))
    result = await registry.run(where)
    assert "docker.io/someone/ui:0.1.0" in names(result)
    assert "docker.io/library/redis:7.4.6-alpine" not in names(result)
    assert all(
        "an embedded cluster does not pull images" in item.message for item in result.findings
    )


@pytest.mark.parametrize("named", [True, False])
async def test_a_missing_image_stops_a_deploy_unless_pods_pull_with_a_secret(
    monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    async def absent(*_: object) -> int:
        return 404

    monkeypatch.setattr(registry, "status", absent)
    secret = {"secrets": {"dockerhubPullSecret": {"enabled": named}}}
    objects = rendered(
        "prod",
        image={"registry": "r.example/vrooli"},
        vso=secret,
        **{
            "services": {"nsfwDetector": {"repository": "r.example/vrooli/nsfw-detector"}},
        },
    )
    result = await registry.run(site(objects, FakeCluster(), kind="context"))
    own = [name for name in names(result) if name.startswith("r.example/")]
    assert bool(own) is not named
    assert any("r.example/vrooli/ui" in text for text in result.unavailable) is named


def test_an_image_with_a_digest_is_on_a_node_under_its_name_without_a_tag() -> None:
    digest = f"sha256:{'1' * 64}"
    image = f"localhost/vrooli/ui:1.2.3@{digest}"
    present = node() | {"status": {"images": [{"names": [f"localhost/vrooli/ui@{digest}"]}]}}
    assert not local.judge([image], [present]).findings
    assert not local.judge([image], [], frozenset({f"localhost/vrooli/ui@{digest}"})).findings
    tag_only = node() | {"status": {"images": [{"names": ["localhost/vrooli/ui:1.2.3"]}]}}
    assert names(local.judge([image], [tag_only])) == [image]


async def test_content_that_a_registry_has_no_more_is_refused_though_the_tag_exists() -> None:
    with serve() as served:
        name, content = f"127.0.0.1:{served.server_port}/ui", b"{}"
        served.manifests = {("ui", "1.2.3"): content, ("ui", digest_of(content)): content}
        image = f"{name}:1.2.3@{digest_of(b'other')}"
        async with httpx.AsyncClient() as client:
            statuses = {
                one: await registry.status(client, reference.parse(one))
                for one in (f"{name}:1.2.3", image)
            }
    (finding,) = registry.judge(2, statuses).findings
    assert finding.resource == image
    assert f"does not have the content {digest_of(b'other')}" in finding.message
    assert "other content under the same tag is not deployed" in finding.message
    assert "--push-images" in finding.remediation


def test_local_images_are_in_no_registry_and_others_on_no_list_of_local_ones() -> None:
    assert registry.skip_reason(site(rendered())) == "all images are local"
    assert local.skip_reason(site(rendered("prod"))) == "all images are pulled from registries"
    assert "docker.io/library/redis:7.4.6-alpine" in registry.remote(site(rendered("prod")))


def _pull_secret(data: dict[str, str], kind: str = "kubernetes.io/dockerconfigjson") -> Any:
    return {"type": kind, "data": data}


def _encoded(text: str) -> dict[str, str]:
    return {".dockerconfigjson": base64.b64encode(text.encode()).decode()}


def test_a_pull_secret_is_needed_where_nothing_of_the_release_makes_it() -> None:
    assert pull_secret.skip_reason(site(rendered())) == "all images are local"
    assert (
        pull_secret.skip_reason(site(rendered("prod")))
        == "it is created with the release, or the pods reference none"
    )
    assert pull_secret.skip_reason(site(rendered("prod", **HUB))) == ""


def test_a_pull_secret_is_judged_by_its_type_and_shape_and_shows_no_password() -> None:
    config = json.dumps({"auths": {"docker.io": {"username": "u", "password": "hidden"}}})
    fine = pull_secret.judge("s", "dev", _pull_secret(_encoded(config)))
    assert (fine.summary, fine.findings) == ("s for docker.io", ())
    for broken in (
        None,
        _pull_secret(_encoded(config), "Opaque"),
        _pull_secret(_encoded("no JSON")),
        _pull_secret({}),
    ):
        observed = pull_secret.judge("s", "dev", broken)
        assert names(observed) == ["Secret/s"]
        assert "hidden" not in str(observed)


# Rights and network


def test_a_refusal_names_verbs_kind_and_namespace() -> None:
    finding = permissions.refusal("Secret", ["create", "patch"], "dev")
    assert finding.message == "this kubeconfig may not create, patch it in namespace dev."
    assert finding.command == "kubectl auth can-i create Secret -n dev"


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, True),
        ({"verbs": ["get"], "apiGroups": ["apps"], "resources": ["deployments"]}, True),
        ({"verbs": ["list"], "apiGroups": ["apps"], "resources": ["deployments"]}, False),
        ({"verbs": ["get"], "apiGroups": [""], "resources": ["deployments"]}, False),
        ({"verbs": ["get"], "apiGroups": ["apps"], "resources": ["deployments/scale"]}, False),
        (
            {
                "verbs": ["get"],
                "apiGroups": ["apps"],
                "resources": ["deployments"],
                "resourceNames": ["one"],
            },
            False,
        ),
        ({"verbs": None, "apiGroups": None, "resources": None}, False),
    ],
)
def test_a_rule_allows_what_it_names_for_every_object(rule: Any, allowed: bool) -> None:
    assert permissions.allows([rule], "get", "apps", "deployments") is allowed


def test_what_a_pod_does_not_reach_is_told_with_its_own_error() -> None:
    answers = {"dns": "", "dns-service": "no such name", "pod": "", "service": "timed out"}
    assert names(connectivity.judge("dns", answers, ("dns", "dns-service"))) == [
        "the name of a new Service"
    ]
    observed = connectivity.judge("network", answers, ("pod", "service"))
    assert observed.summary == "reachable from a pod: the address of a pod"
    assert "timed out" in observed.findings[0].message


def test_without_a_pod_dns_is_judged_by_its_deployment() -> None:
    assert "c is ready" in connectivity.judge_dns([_workload("Deployment", 1)]).summary
    assert names(connectivity.judge_dns([_workload("Deployment", 0)])) == ["the cluster's DNS"]
    assert connectivity.judge_dns([]).unavailable


def test_the_probe_runs_in_the_image_of_the_charts_own_tests_and_as_strictly() -> None:
    recipe = probe_objects.recipe(rendered())
    assert recipe is not None
    pod = recipe.pod("x", ["-c", "pass"], claim="volume")
    (container,) = pod["spec"]["containers"]
    assert container["image"] == "localhost/vrooli/server:dev"
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert "envFrom" not in container


def test_without_test_pods_there_is_no_image_to_probe_with() -> None:
    assert probe_objects.recipe(()) is None
    assert "no test pods" in connectivity.NETWORK.skip_reason(site(creates=True))


async def test_nothing_is_made_when_only_checking() -> None:
    with pytest.raises(UnavailableError, match="--check-only creates none"):
        await connectivity.run_network(site(rendered()))
