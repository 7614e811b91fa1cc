"""The rule image-pull."""

from __future__ import annotations

import pytest

from support.diagnosis.evidence import diagnosed, evidence, found, happening, pod_of
from support.objects.workloads import ARM, OWNER, POD, SERVER, the_one, versions, waiting
from vrooli.diagnosis.rules.workloads import image_pull


@pytest.mark.parametrize(
    ("reason", "said", "why"),
    [
        (
            "InvalidImageName",
            "couldn't parse image name: invalid reference format",
            "not a valid image name",
        ),
        (
            "ErrImageNeverPull",
            'Container image "x" is not present with pull policy',
            "policy is Never",
        ),
        ("ErrImagePull", "registry.example.com/x:9: not found", "image or tag does not exist"),
        ("ImagePullBackOff", "pull access denied, repository does not exist", "denies access"),
        ("ErrImagePull", "dial tcp: lookup registry.example.com: no such host", "unreachable"),
        ("ErrImagePull", "toomanyrequests: You have reached your pull rate limit", "rate limit"),
        ("ErrImagePull", "no space left on device", "cannot be pulled"),
    ],
)
def test_why_an_image_can_not_be_had_is_told_apart(reason: str, said: str, why: str) -> None:
    seen = waiting(reason, said)
    seen["status"]["containerStatuses"][0]["image"] = "registry.example.com/x:9"
    finding = the_one(evidence(seen))
    assert (finding.rule_id, finding.resource) == ("image-pull", OWNER)
    assert why in finding.message
    assert said in finding.message


@pytest.mark.parametrize(
    "image",
    [
        "registry.example.com/server:1.429.0",
        f"registry.example.com/server@sha256:{'429' * 21}a",
        "registry.example.com/authorization-denied:timeout",
    ],
)
def test_the_words_of_an_image_s_name_are_no_reason(image: str) -> None:
    said = f'Failed to pull image "{image}": rpc error: code = NotFound desc = {image}: not found'
    seen = waiting("ImagePullBackOff", "Back-off pulling image")
    seen["status"]["containerStatuses"][0]["image"] = image
    finding = the_one(evidence(seen, events=[happening(POD, "Failed", said)]))
    assert "the image or tag does not exist" in finding.message


def test_of_an_image_that_waits_for_its_next_try_the_event_says_why() -> None:
    image = "localhost/vrooli/server:dev"
    event = happening(POD, "Failed", f'Failed to pull image "{image}": dial tcp 127.0.0.1:443')
    finding = the_one(evidence(waiting("ImagePullBackOff", "Back-off"), events=[event]))
    assert "built on this machine" in finding.message
    assert "dial tcp" in finding.message


def test_a_refused_image_without_a_pull_secret_says_so() -> None:
    seen = waiting("ErrImagePull", "401 Unauthorized")
    seen["status"]["containerStatuses"][0]["image"] = "registry.example.com/x:9"
    assert "no pull secret is set" in the_one(evidence(seen)).message


def test_the_way_back_leads_to_the_version_whose_pods_are_ready() -> None:
    sets = versions(0, 1, 0)
    finding = the_one(evidence(waiting("ErrImagePull", "not found"), *sets))
    assert finding.command == f"kubectl rollout undo deployment/{SERVER} -n dev --to-revision=2"


def test_an_older_version_that_goes_away_is_nobodys_trouble() -> None:
    old = waiting("ErrImagePull", "not found")
    old["metadata"]["labels"]["pod-template-hash"] = "old"
    old["metadata"] |= {"name": "old", "creationTimestamp": "2026-06-01T10:00:00+00:00"}
    old["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": f"{SERVER}-old"}]
    assert not diagnosed(evidence(old, pod_of(SERVER))).causes


def test_an_image_without_the_nodes_architecture_is_no_missing_tag() -> None:
    said = 'failed to pull image "x:9": no match for platform in manifest: not found'
    body = waiting("ErrImagePull", said)
    body["spec"]["nodeName"] = "one"
    finding = the_one(evidence(body, ARM))
    assert finding.rule_id == "image-pull"
    assert "is not built for the architecture of the node" in finding.message
    assert "kubernetes.io/arch: arm64" in finding.remediation


def test_an_image_that_cannot_be_had_is_found() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
    sick = pod_of("vrooli-dev-server", state=waiting, ready=False)
    assert found(image_pull.RULE, evidence(sick)) == ["Deployment/vrooli-dev-server"]
    assert found(image_pull.RULE, evidence(pod_of("vrooli-dev-server"))) == []
