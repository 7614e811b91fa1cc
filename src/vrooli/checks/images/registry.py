"""Registries have the images that no node has yet."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from dataclasses import dataclass

import httpx

from vrooli.checks.images import local
from vrooli.checks.interface import Check, CheckResult, Site
from vrooli.checks.runner import is_forbidden
from vrooli.findings import Finding
from vrooli.images.push import PLACEHOLDER
from vrooli.kube import ApiError

NAME = "registry"
# The kind of cluster whose nodes pull nothing: images come to it by archive.
CLOSED = "embedded"
# How long one registry may take, seconds: a deploy waits for it, and goes on without an answer.
ANSWER_S = 4.0
# Docker Hub's name in references, and the host that serves its API.
HUB, HUB_HOST = "docker.io", "registry-1.docker.io"
TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1)(:\d+)?")


@dataclass(frozen=True)
class Reference:
    """An image's name, taken apart."""

    registry: str
    repository: str
    tag: str

    @property
    def url(self) -> str:
        """Where its manifest is."""
        host = HUB_HOST if self.registry == HUB else self.registry
        scheme = "http" if _LOOPBACK.fullmatch(host) else "https"
        return f"{scheme}://{host}/v2/{self.repository}/manifests/{self.tag}"


def parse(image: str) -> Reference:
    """Take an image's name apart, as container runtimes do."""
    name, _, digest = image.partition("@")
    first, slash, rest = name.partition("/")
    named = bool(slash) and ("." in first or ":" in first or first == "localhost")
    registry, path = (first, rest) if named else (HUB, name)
    repository, _, tag = path.partition(":")
    if registry == HUB and "/" not in repository:
        repository = f"library/{repository}"
    return Reference(registry, repository, digest or tag or "latest")


async def run(site: Site) -> CheckResult:
    """Ask each registry, without credentials, for what no node has."""
    present = set(site.loaded)
    try:
        present |= local.on_nodes(await site.objects("v1", "Node"))
    except ApiError as error:
        if not is_forbidden(error):
            raise
    pulled = remote(site)
    requested = [
        image for image in pulled if image not in present and name_of(image) not in present
    ]
    if refused := [finding for image in requested if (finding := refusal(image, site.kind))]:
        return CheckResult(findings=tuple(refused))
    async with httpx.AsyncClient(timeout=ANSWER_S, follow_redirects=True) as client:
        answers = await asyncio.gather(*(status(client, parse(image)) for image in requested))
    by_image = dict(zip(requested, answers, strict=True))
    return judge(len(pulled), by_image, site.requirements.with_secret)


def name_of(image: str) -> str:
    """An image's whole name, as container runtimes keep it."""
    parsed = parse(image)
    sign = "@" if parsed.tag.startswith("sha256:") else ":"
    return f"{parsed.registry}/{parsed.repository}{sign}{parsed.tag}"


def refusal(image: str, kind: str) -> Finding | None:
    """What is known of an image without asking: no registry needs to tell that it can't be had.

    Args:
        image: Its name; no node has it.
        kind: The kind of cluster.
    """
    if PLACEHOLDER in image:
        return Finding(
            NAME,
            image,
            f"its name still has the placeholder {PLACEHOLDER}.",
            "Set dockerhubUsername to your user of Docker Hub, or image.registry to the registry "
            "that has the images.",
        )
    if kind == CLOSED:
        return Finding(
            NAME,
            image,
            "no node has it, and an embedded cluster pulls none.",
            "Have the artifact bring its images (`vrooli build --images`), or name one that is "
            "there (image.registry, services.*.repository and tag).",
            local.BUILD,
        )
    return None


def judge(count: int, answers: dict[str, int], with_secret: Collection[str] = ()) -> CheckResult:
    """What the registries' answers mean; 0 is none.

    Some registries hide from anyone what they show to a pull secret: their 404 is no proof then.
    Docker Hub doesn't.

    Args:
        count: How many images are pulled, with those that nodes have.
        answers: The HTTP status of each that no node has.
        with_secret: The images that pods pull with a secret.
    """
    had = count - sum(status != httpx.codes.OK for status in answers.values())
    absent = [image for image, status in answers.items() if status == httpx.codes.NOT_FOUND]
    hidden = [image for image in absent if image in with_secret and parse(image).registry != HUB]
    missing = [image for image in absent if image not in hidden]
    closed = [
        image
        for image, status in answers.items()
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
    ]
    mute = [i for i, s in answers.items() if s != httpx.codes.OK and i not in (*absent, *closed)]
    unseen = []
    if hidden:
        unseen.append(f"{', '.join(hidden)} (not there for anyone; nodes ask with the pull secret)")
    if closed:
        unseen.append(f"{', '.join(closed)} (their registry wants credentials)")
    if mute:
        unseen.append(f"{', '.join(mute)} (no answer to this machine; the nodes pull)")
    message = f"{had} of {count} images are on nodes or in their registry" if had else ""
    return CheckResult(message, tuple(_missing(image) for image in missing), tuple(unseen))


async def status(client: httpx.AsyncClient, image: Reference) -> int:
    """The HTTP status of an image's manifest, asked for as anyone; 0 without an answer."""
    headers = {"accept": ", ".join(TYPES)}
    try:
        answer = await client.head(image.url, headers=headers)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            token = await _token(client, answer.headers.get("www-authenticate", ""))
            if token:
                headers["authorization"] = f"Bearer {token}"
                answer = await client.head(image.url, headers=headers)
    except (httpx.HTTPError, ValueError):
        return 0
    return answer.status_code


async def _token(client: httpx.AsyncClient, challenge: str) -> str:
    """A token for anyone, where the registry's challenge says that there is one."""
    message = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = message.pop("realm", "")
    if not challenge.lower().startswith("bearer") or not realm:
        return ""
    answer = await client.get(realm, params=message)
    if answer.status_code != httpx.codes.OK:
        return ""
    parsed = answer.json()
    return str(parsed.get("token") or parsed.get("access_token") or "")


def _missing(image: str) -> Finding:
    return Finding(
        NAME,
        image,
        "its registry doesn't have it.",
        "Push it, or name another (image.registry, services.*.repository and tag).",
        f"docker manifest inspect {image}",
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
