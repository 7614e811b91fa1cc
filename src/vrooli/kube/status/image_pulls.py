"""Why an image could not be pulled, from the words of kubelets, runtimes and registries."""

from __future__ import annotations

import re
from enum import Enum

from vrooli.kube.status.pods import ContainerStatus

# The reasons with which the kubelet says that a container waits for its image.
INVALID_NAME, NEVER_PULLED = "InvalidImageName", "ErrImageNeverPull"
FAILED_PULLS = ("ErrImagePull", "ImagePullBackOff")
PULL_REASONS = (*FAILED_PULLS, INVALID_NAME, NEVER_PULLED)


class PullFailure(Enum):
    """Why an image could not be pulled; the pattern that says so.

    The first pattern that matches decides. A name that does not resolve ("no such host") is an
    unreachable registry and never a missing image; a registry that cannot be reached is not one
    that denies access, even if it was reached to get a token.
    """

    INVALID_NAME = r"InvalidImageName|invalid reference format|couldn't parse image"
    NEVER_PULLED = r"ErrImageNeverPull"
    # The registry has the image for other processors only.
    OTHER_PLATFORM = (
        r"no match for platform|no matching manifest for"
        r"|does not match the (?:specified|detected) platform"
        r"|no image found in (?:manifest list|image index)"
    )
    # The code of the error in the distribution specification, and HTTP's status.
    RATE_LIMITED = (
        r"(?i)toomanyrequests|too many requests|(?:status|code|http)\D{0,10}429\b"
        r"|rate (?:limit|exceeded)"
    )
    UNREACHABLE = (
        r"(?i)no such host|timeout|connection refused|dial tcp|no route to host|x509|"
        r"network is unreachable|server misbehaving|tls: "
    )
    # A registry that hides private images says this of an image that does not exist, too
    # (Docker Hub: "pull access denied, repository does not exist or may require authorization").
    DENIED = (
        r"(?i)\b401\b|\b403\b|unauthori[sz]ed|denied|authori[sz]|authentication|forbidden"
        r"|credential|no basic auth"
    )
    NOT_FOUND = r"(?i)not ?found|manifest unknown|name unknown|does not exist"
    OTHER = ""


def classify_pull_failure(container: ContainerStatus, message: str | None = None) -> PullFailure:
    """Why the image of a container that waits for it could not be pulled.

    Args:
        container: The container; the words of its image's name are ignored in the message.
        message: What an event says; None takes what the kubelet says of the container.
    """
    words = (
        f"{container.waiting_reason} {container.waiting_message if message is None else message}"
    )
    if container.image:
        words = re.sub(rf"(?<!\w){re.escape(container.image)}(?!\w)", "…", words)
    return next(item for item in PullFailure if re.search(item.value, words))
