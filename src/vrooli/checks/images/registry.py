"""Registries have the images that no node has."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx

from vrooli import shell
from vrooli.checks.images import local, platforms
from vrooli.checks.images.reference import HUB, Reference, parse
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.runner import is_forbidden
from vrooli.findings import Finding
from vrooli.images.push import PLACEHOLDER
from vrooli.kube import ApiError, Manifest
from vrooli.responses import LimitedClient, read_json

NAME = "registry"
# The kind of cluster whose nodes do not pull: images are imported from archives.
CLOSED = "embedded"
# The timeout of a registry, seconds: a deploy waits for it and continues without a response.
ANSWER_S = 4.0
TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
# A parameter of a challenge. Its name begins where no name does already: a long word would take
# quadratic time otherwise.
_PARAMETER = re.compile(r'(?<!\w)(\w++)="([^"]*)"')


async def run(site: Site) -> CheckResult:
    """Request each image that no node has from its registry, without credentials."""
    present, nodes = set(site.loaded), list[Manifest]()
    try:
        nodes = await site.objects("v1", "Node")
        present |= local.on_nodes(nodes)
    except ApiError as error:
        if not is_forbidden(error):
            raise
    pulled = remote(site)
    requested = [image for image in pulled if not local.is_present(image, present)]
    if refused := [finding for image in requested if (finding := refusal(image, site.kind))]:
        return CheckResult(findings=tuple(refused))
    async with LimitedClient(timeout=ANSWER_S, follow_redirects=True) as client:
        answers = await asyncio.gather(*(status(client, parse(image)) for image in requested))
        by_image = dict(zip(requested, answers, strict=True))
        built = await _architectures(client, by_image)
    result = judge(len(pulled), by_image, site.requirements.with_secret)
    judged = [platforms.judge(NAME, *item, platforms.of_nodes(nodes)) for item in built.items()]
    return replace(
        result,
        findings=(*result.findings, *(finding for finding, _ in judged if finding)),
        warnings=tuple(warning for _, warning in judged if warning),
    )


async def _architectures(
    client: httpx.AsyncClient, answers: Mapping[str, int]
) -> dict[str, frozenset[str]]:
    """The architectures of the images that exist, from their indexes.

    Docker Hub is not asked: it counts such a request as a pull.
    """
    existing = _with_status(answers, httpx.codes.OK)
    images = [image for image in existing if parse(image).registry != HUB]
    indexes = await asyncio.gather(*(_index(client, parse(image)) for image in images))
    return {image: platforms.of_index(index) for image, index in zip(images, indexes, strict=True)}


async def _index(client: httpx.AsyncClient, image: Reference) -> Mapping[str, Any]:
    """An image's index or manifest; empty without a usable response."""
    try:
        answer = await _request(client, "GET", image)
        parsed = read_json(answer) if answer.status_code == httpx.codes.OK else {}
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return {}
    return parsed if isinstance(parsed, Mapping) else {}


def refusal(image: str, kind: str) -> Finding | None:
    """The finding of an image that cannot be pulled, whatever its registry reports.

    Args:
        image: Its name; no node has it.
        kind: The kind of cluster.
    """
    if PLACEHOLDER in image:
        return Finding(
            NAME,
            image,
            f"its name still has the placeholder {PLACEHOLDER}.",
            "Set dockerhubUsername to your Docker Hub user, or image.registry to the registry that "
            "has the images.",
        )
    if kind == CLOSED:
        return Finding(
            NAME,
            image,
            "no node has it, and an embedded cluster does not pull images.",
            "Include the images in the artifact (`vrooli build --images`), or set an image that a "
            "node has (image.registry, services.*.repository and tag).",
            local.BUILD,
        )
    return None


def judge(count: int, answers: dict[str, int], with_secret: Collection[str] = ()) -> CheckResult:
    """The result of the registries' responses; status 0 means no response.

    Some registries return 404 to anonymous clients for private images, so a 404 proves nothing
    for images with a pull secret. Docker Hub does not do so.

    Args:
        count: The number of images that are pulled, including those that nodes have.
        answers: The HTTP status of each image that no node has.
        with_secret: The images that pods pull with a secret.
    """
    had = count - sum(status != httpx.codes.OK for status in answers.values())
    absent = _with_status(answers, httpx.codes.NOT_FOUND)
    hidden = [image for image in absent if image in with_secret and parse(image).registry != HUB]
    missing = [image for image in absent if image not in hidden]
    message = f"{had} of {count} images are on nodes or in their registries" if had else ""
    findings = tuple(_missing(image) for image in missing)
    return CheckResult(message, findings, tuple(_unverified(answers, hidden)))


def _unverified(answers: Mapping[str, int], hidden: Sequence[str]) -> Iterator[str]:
    """The images of which the responses tell nothing, with the reasons."""
    closed = _with_status(answers, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
    limited = _with_status(answers, httpx.codes.TOO_MANY_REQUESTS)
    explained = (*_with_status(answers, httpx.codes.OK, httpx.codes.NOT_FOUND), *closed, *limited)
    unreachable = [image for image in answers if image not in explained]
    if hidden:
        yield f"{', '.join(hidden)} (not found without credentials; nodes use the pull secret)"
    if closed:
        yield (
            f"{', '.join(closed)} ({_hosts(closed)} requires credentials with the scope "
            f"{', '.join(_scope(image) for image in closed)})"
        )
    if limited:
        yield (
            f"{', '.join(limited)} (the rate limit of {_hosts(limited)} is reached for this "
            "machine (429); the nodes pull with limits of their own: wait, or set a pull secret)"
        )
    if unreachable:
        yield (f"{', '.join(unreachable)} (no response to this machine; the nodes pull the images)")


def _with_status(answers: Mapping[str, int], *statuses: int) -> list[str]:
    """The images whose registries responded with one of some statuses."""
    return [image for image, status in answers.items() if status in statuses]


def _hosts(images: Iterable[str]) -> str:
    """The registries of images."""
    return ", ".join(sorted({parse(image).registry for image in images}))


def _scope(image: str) -> str:
    """The scope of a token that permits to pull an image (distribution specification)."""
    return f"repository:{parse(image).repository}:pull"


async def status(client: httpx.AsyncClient, image: Reference) -> int:
    """The HTTP status of an anonymous request for an image's manifest; 0 without a response."""
    try:
        return (await _request(client, "HEAD", image)).status_code
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return 0


async def _request(client: httpx.AsyncClient, method: str, image: Reference) -> httpx.Response:
    """Request an image's manifest, with an anonymous token if the registry offers one."""
    headers = {"accept": ", ".join(TYPES)}
    answer = await client.request(method, image.url, headers=headers)
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        token = await _token(client, answer.headers.get("www-authenticate", ""))
        if token:
            headers["authorization"] = f"Bearer {token}"
            answer = await client.request(method, image.url, headers=headers)
    return answer


async def _token(client: httpx.AsyncClient, challenge: str) -> str:
    """An anonymous token as the registry's challenge offers it; empty if it offers none."""
    message = dict(_PARAMETER.findall(challenge))
    realm = message.pop("realm", "")
    if not challenge.lower().startswith("bearer") or not realm:
        return ""
    answer = await client.get(realm, params=message)
    if answer.status_code != httpx.codes.OK:
        return ""
    parsed = read_json(answer)
    if not isinstance(parsed, Mapping):
        return ""
    return str(parsed.get("token") or parsed.get("access_token") or "")


def _missing(image: str) -> Finding:
    if digest := parse(image).digest:
        return Finding(
            NAME,
            image,
            f"its registry does not have the content {digest}, which the values or the artifact "
            "name; other content under the same tag is not deployed.",
            "Push that content again, or build and deploy another version "
            "(`vrooli build --version VERSION --push-images`).",
            f"docker manifest inspect {shell.image(image)}",
        )
    return Finding(
        NAME,
        image,
        "its registry does not have it.",
        "Push it, or set a different image (image.registry, services.*.repository and tag).",
        f"docker manifest inspect {shell.image(image)}",
    )


def remote(site: Site) -> list[str]:
    """The release's images that are pulled."""
    return [image for image in site.requirements.images if not image.startswith(local.LOCAL)]


def skip_reason(site: Site) -> str:
    """Why no registry is needed."""
    return "" if remote(site) else "all images are local"


CHECK = Check(
    NAME,
    "Registries",
    "registries have the images that no node has; checked from this machine without credentials",
    run,
    skip_reason,
    limit_s=15.0,
    stops_deploy=True,
)
