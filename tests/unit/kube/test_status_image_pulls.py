"""Why an image could not be pulled."""

from __future__ import annotations

import pytest

from vrooli.kube.status.image_pulls import PullFailure, classify_pull_failure
from vrooli.kube.status.pods import ContainerStatus

IMAGE = "registry.example/team/server:1"
DIAL = "dial tcp: lookup registry.example on 10.96.0.10:53: no such host"


def classify(image: str, reason: str, message: str) -> PullFailure:
    return classify_pull_failure(
        ContainerStatus("server", image, waiting_reason=reason, waiting_message=message)
    )


@pytest.mark.parametrize(
    ("reason", "message", "failure"),
    [
        ("InvalidImageName", "couldn't parse image", PullFailure.INVALID_NAME),
        ("ErrImageNeverPull", "image is not present", PullFailure.NEVER_PULLED),
        (
            "ErrImagePull",
            "no match for platform in manifest: not found",
            PullFailure.OTHER_PLATFORM,
        ),
        ("ErrImagePull", "toomanyrequests: pull rate limit", PullFailure.RATE_LIMITED),
        ("ErrImagePull", "unexpected status code 429", PullFailure.RATE_LIMITED),
        ("ErrImagePull", "TOOMANYREQUESTS: retry-after: 1s", PullFailure.RATE_LIMITED),
        ("ErrImagePull", "denied: rate exceeded", PullFailure.RATE_LIMITED),
        ("ErrImagePull", "x:429: not found", PullFailure.NOT_FOUND),
        ("ErrImagePull", "dial tcp 10.0.0.1:443: i/o timeout", PullFailure.UNREACHABLE),
        ("ErrImagePull", "unexpected status: 401 Unauthorized", PullFailure.DENIED),
        (
            "ErrImagePull",
            "pull access denied, repository does not exist or may require authorization",
            PullFailure.DENIED,
        ),
        ("ImagePullBackOff", f"{IMAGE}: not found", PullFailure.NOT_FOUND),
        ("ErrImagePull", "manifest unknown", PullFailure.NOT_FOUND),
        ("ErrImagePull", "short read: unexpected EOF", PullFailure.OTHER),
    ],
)
def test_words_of_a_failed_pull_say_why(reason: str, message: str, failure: PullFailure) -> None:
    assert classify(IMAGE, reason, message) is failure


@pytest.mark.parametrize(
    "message",
    [
        f"failed to resolve reference: {DIAL}",
        f"failed to authorize: failed to fetch anonymous token: {DIAL}",
        f"failed to resolve image: not found: {DIAL}",
    ],
)
def test_registry_whose_name_does_not_resolve_is_unreachable(message: str) -> None:
    assert classify(IMAGE, "ErrImagePull", message) is PullFailure.UNREACHABLE


def test_words_in_the_images_own_name_say_nothing() -> None:
    image = "registry.example/denied/timeout:not-found"
    failure = classify(image, "ErrImagePull", f"{image}: manifest unknown")
    assert failure is PullFailure.NOT_FOUND
