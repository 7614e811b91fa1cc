"""The one way in which every operator is installed, waited for and looked at."""

from __future__ import annotations

from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube, Manifest, workloads
from vrooli.operators import record
from vrooli.operators.interface import Operator, OperatorStatus, Site, Source, State
from vrooli.steps import Done

# How long an operator's pods may take to be ready, seconds: image pulls included.
READY_S = 300.0
FOREIGN = "foreign"


async def ensure(operator: Operator, source: Source, site: Site, progress: Progress) -> Done:
    """Install an operator if it isn't, and wait until it is ready.

    Raises:
        WaitTimeoutError: Its pods did not become ready.
        VrooliError: It could not be installed.
    """
    done = await install(operator, source, site, progress)
    await wait_ready(operator, site.kube, progress)
    return done


async def install(operator: Operator, source: Source, site: Site, progress: Progress) -> Done:
    """Install an operator, or bring it up to date; its kinds are served when this ends.

    One that someone else installed is left as it is.
    """
    kube, version = site.kube, operator.version(source)
    known = await record.read(kube, operator.namespace)
    if not known.ours and (theirs := await _deployment(operator, kube)):
        return Done(False, f"{_described(theirs)} is someone else's and is left as it is")
    inputs = {"source": source, "version": version, **operator.inputs(source, site)}
    wanted = record.Record(True, source, version, record.fingerprint(inputs))
    name = operator.deployment(source)
    if known == wanted and await kube.get("apps/v1", "Deployment", name, operator.namespace):
        return Done(False, f"{version} ({source})")
    progress.say(f"installs {operator.title} {version} ({source})")
    security = "restricted" if source is Source.GO_MODULE else "baseline"
    await record.write(kube, operator.namespace, record.Record(ours=True), security)
    await operator.install(source, site, progress)
    await record.write(kube, operator.namespace, wanted, security)
    return Done(True, f"{version} ({source})")


async def wait_ready(operator: Operator, kube: Kube, progress: Progress) -> None:
    """Wait until the operator's Deployment is ready, whoever installed it.

    Raises:
        WaitTimeoutError: It isn't, with the reasons of its pods.
    """
    deployment = await _deployment(operator, kube)
    if deployment is None:
        raise VrooliError(
            f"{operator.title} has no Deployment in namespace {operator.namespace}.",
            "Run `vrooli develop` again; it installs what is missing.",
        )
    name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
    await workloads.wait_ready(kube, "Deployment", name, namespace, READY_S, progress)


async def status(operator: Operator, kube: Kube) -> OperatorStatus:
    """How an operator is, without changing anything."""
    known = await record.read(kube, operator.namespace)
    deployment = await _deployment(operator, kube)
    if deployment is None:
        return OperatorStatus(operator.name, operator.namespace, State.ABSENT)
    lack = workloads.deployment_lack(deployment)
    return OperatorStatus(
        operator.name,
        deployment["metadata"]["namespace"],
        State.NOT_READY if lack else State.READY,
        version=known.version if known.ours else _version(deployment),
        source=known.source if known.ours else FOREIGN,
        detail=lack or "",
    )


async def _deployment(operator: Operator, kube: Kube) -> Manifest | None:
    """The operator's Deployment: in its own namespace, else in any."""
    found = await kube.list("apps/v1", "Deployment", None, operator.selector)
    found.sort(key=lambda item: item["metadata"]["namespace"] != operator.namespace)
    return found[0] if found else None


def _described(deployment: Manifest) -> str:
    metadata = deployment["metadata"]
    return f"{metadata['namespace']}/{metadata['name']} {_version(deployment)}"


def _version(deployment: Manifest) -> str:
    """The version that a Deployment's label says, else its image's tag."""
    said = deployment["metadata"].get("labels", {}).get("app.kubernetes.io/version")
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    return str(said or image.rpartition(":")[2])
