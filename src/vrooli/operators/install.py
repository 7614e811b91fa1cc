"""The one way in which every operator is installed, waited for and looked at."""

from __future__ import annotations

import re

from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube, Manifest, workloads
from vrooli.kube.status import deployment_unready_reason
from vrooli.operators import record
from vrooli.operators.interface import Operator, OperatorStatus, Site, Source, State
from vrooli.steps import Done

# How long an operator's pods may take to be ready, seconds: image pulls included.
READY_S = 300.0
FOREIGN = "foreign"
# A version within a tag, such as 5.8.2 in ubi9-5.8.2-0.
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)*")


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
        described = _described(operator, theirs)
        return Done(False, f"{described} is someone else's and is left as it is")
    inputs = {"source": source, "version": version, **operator.inputs(source, site)}
    wanted = record.Record(True, source, version, record.fingerprint(inputs))
    name = operator.deployment(source)
    deployment = await kube.get("apps/v1", "Deployment", name, operator.namespace)
    if known == wanted and deployment:
        return Done(False, _unchanged(operator, deployment, known))
    progress.report(f"installs {operator.title} {version} ({source})")
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
    lack = deployment_unready_reason(deployment)
    other = _other_version(operator, deployment, known)
    note = f"another version than was installed here ({known.version})" if other else ""
    version = known.version if known.ours and not other else running_version(operator, deployment)
    return OperatorStatus(
        operator.name,
        deployment["metadata"]["namespace"],
        State.NOT_READY if lack else State.READY,
        version=version,
        source=known.source if known.ours and not other else FOREIGN,
        detail="; ".join(filter(None, (lack, note))),
    )


async def _deployment(operator: Operator, kube: Kube) -> Manifest | None:
    """The operator's Deployment: in its own namespace, else in any."""
    found = await kube.list("apps/v1", "Deployment", None, operator.selector)
    found.sort(key=lambda item: item["metadata"]["namespace"] != operator.namespace)
    return found[0] if found else None


def _described(operator: Operator, deployment: Manifest) -> str:
    metadata = deployment["metadata"]
    version = running_version(operator, deployment)
    return f"{metadata['namespace']}/{metadata['name']} {version}"


def _unchanged(operator: Operator, deployment: Manifest, known: record.Record) -> str:
    """What is said of an operator that was installed before."""
    if _other_version(operator, deployment, known):
        version = running_version(operator, deployment)
        return f"{version} runs in place of {known.version} ({known.source}), and is left as it is"
    return f"{known.version} ({known.source})"


def _other_version(operator: Operator, deployment: Manifest, known: record.Record) -> bool:
    """Whether an operator that was installed here runs another version now."""
    running = _VERSION.search(_tag(operator, deployment))
    noted = _VERSION.search(known.version)
    return bool(known.ours and running and noted and running[0] != noted[0])


def running_version(operator: Operator, deployment: Manifest) -> str:
    """The version of the image that a Deployment runs, else the one that its label says.

    A label is written once, by a chart, and stays when somebody sets another image.
    """
    tag = _tag(operator, deployment)
    if found := _VERSION.search(tag):
        return found[0]
    labels = deployment["metadata"].get("labels") or {}
    return str(labels.get("app.kubernetes.io/version") or tag)


def _tag(operator: Operator, deployment: Manifest) -> str:
    """The tag of the operator's own image, which may have a proxy's beside it."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    images = [str(container["image"]).partition("@")[0] for container in containers]
    own = [image for image in images if operator.name in image.rpartition("/")[2]]
    name = (own or images)[0].rpartition("/")[2]
    return name.partition(":")[2]
