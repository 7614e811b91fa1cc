"""Installs any operator, waits for it, and reads its status."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.kube import Kube, Manifest, common_labels, objects
from vrooli.kube.objects import Ref
from vrooli.kube.status import SCALED_TO_ZERO, deployment_unready_reason
from vrooli.operators import versions
from vrooli.operators.installation import record
from vrooli.operators.model import Operator, OperatorStatus, Site, Source, State
from vrooli.steps import Done

# Timeout for an operator's pods to become ready, image pulls included, seconds.
READY_S = 300.0
FOREIGN = "foreign"
UPGRADE_COMMAND = "vrooli upgrade operators"
# The version in a tag, such as 5.8.2 in ubi9-5.8.2-0.
_VERSION = re.compile(r"(?<![\d.])\d++\.\d++(?:\.\d++)*")


async def install(operator: Operator, source: Source, site: Site, progress: Progress) -> Done:
    """Install or upgrade an operator; its kinds are served when this returns.

    One that this product did not install is left unchanged.
    """
    kube, distribution = site.kube, operator.distributions[source]
    installed = await record.read(kube, operator.namespace)
    if not installed.ours and (existing := await find_deployment(operator, kube)):
        description = _description(operator, existing)
        return Done(False, f"{description} was not installed by vrooli and is left unchanged")
    desired = desired_record(operator, source, site)
    deployment = await kube.get(
        "apps/v1", "Deployment", distribution.deployment, operator.namespace
    )
    if installed == desired and deployment:
        return Done(False, _unchanged(operator, deployment, installed))
    progress.report(f"installs {operator.title} {distribution.version} ({source})")
    # Without the inputs it counts as unfinished.
    await record.write(kube, operator.namespace, record.Record(True, installed.source))
    await operator.install(operator, source, site, progress)
    await record.write(kube, operator.namespace, desired)
    return Done(True, f"{distribution.version} ({source})")


def desired_record(operator: Operator, source: Source, site: Site) -> record.Record:
    """The record of an operator that is installed as this product would install it now."""
    version = operator.distributions[source].version
    inputs = {"source": source, "version": version, **operator.inputs(source, site)}
    return record.Record(True, source, version, record.fingerprint(inputs))


async def find_started(operator: Operator, kube: Kube, progress: Progress) -> Manifest:
    """The operator's Deployment; one that was installed here is started if it has 0 pods.

    Raises:
        VrooliError: It is missing, or somebody else's and scaled to 0 pods.
    """
    deployment = await find_deployment(operator, kube)
    if deployment is None:
        raise VrooliError(
            f"{operator.title} has no Deployment in namespace {operator.namespace}.",
            "Run `vrooli develop` again; it installs what is missing.",
        )
    name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
    if deployment_unready_reason(deployment) == SCALED_TO_ZERO:
        await _start(operator, kube, Ref("Deployment", name, namespace), progress)
        return {**deployment, "spec": {**deployment["spec"], "replicas": 1}}
    return deployment


async def _start(operator: Operator, kube: Kube, deployment: Ref, progress: Progress) -> None:
    """Scale an operator that was installed here from 0 pods to 1."""
    installed = await record.read(kube, operator.namespace)
    if not installed.ours:
        raise VrooliError(
            f"{operator.title} is scaled to 0 pods, and was not installed by vrooli.",
            f"Start it: kubectl scale {deployment.words} --replicas=1",
        )
    progress.report(f"scales {operator.title} from 0 pods to 1")
    name, namespace = deployment.name, deployment.namespace
    await kube.patch("apps/v1", "Deployment", name, namespace, {"spec": {"replicas": 1}})


async def status(operator: Operator, kube: Kube) -> OperatorStatus:
    """The status of an operator; nothing is changed."""
    installed = await record.read(kube, operator.namespace)
    deployment = await find_deployment(operator, kube)
    if deployment is None:
        return OperatorStatus(operator.name, operator.namespace, State.ABSENT)
    reason = deployment_unready_reason(deployment)
    is_other = is_other_version(operator, deployment, installed)
    is_ours = installed.ours and not is_other
    version = installed.version if is_ours else running_version(operator, deployment)
    other = f"another version than was installed here ({installed.version})" if is_other else ""
    return OperatorStatus(
        operator.name,
        deployment["metadata"]["namespace"],
        State.NOT_READY if reason else State.READY,
        version=version,
        source=installed.source if is_ours else FOREIGN,
        detail="; ".join(filter(None, (reason, other))),
        notes=(
            *versions.notes(operator.name, operator.title, version),
            *_outdated(operator, installed, is_ours=is_ours),
        ),
    )


def _outdated(operator: Operator, installed: record.Record, *, is_ours: bool) -> Iterator[str]:
    """That this version of the product installs a newer version of an operator, if it does."""
    if not is_ours or not installed.version or installed.source not in list(Source):
        return
    current = operator.distributions[Source(installed.source)].version
    if versions.is_newer(current, installed.version):
        yield (
            f"{operator.title} {installed.version} is older than {current}, which this version of "
            f"vrooli installs: `{UPGRADE_COMMAND}`"
        )


async def find_deployment(operator: Operator, kube: Kube) -> Manifest | None:
    """The operator's Deployment: the one in its own namespace, else one in any."""
    deployments = await kube.list("apps/v1", "Deployment", None, operator.selector)
    deployments.sort(key=lambda item: item["metadata"]["namespace"] != operator.namespace)
    return deployments[0] if deployments else None


async def find_namespace(operator: Operator, kube: Kube) -> str:
    """The namespace in which the operator runs, or in which it is installed if it runs in none."""
    deployment = await find_deployment(operator, kube)
    return str(deployment["metadata"]["namespace"]) if deployment else operator.namespace


def _description(operator: Operator, deployment: Manifest) -> str:
    metadata = deployment["metadata"]
    version = running_version(operator, deployment)
    return f"{metadata['namespace']}/{metadata['name']} {version}"


def _unchanged(operator: Operator, deployment: Manifest, installed: record.Record) -> str:
    """The result of a step that finds an operator installed."""
    recorded = f"{installed.version} ({installed.source})"
    if is_other_version(operator, deployment, installed):
        running = running_version(operator, deployment)
        return f"{running} runs instead of {recorded} and is left unchanged"
    return recorded


def is_other_version(operator: Operator, deployment: Manifest, installed: record.Record) -> bool:
    """Whether an operator that was installed here runs another version now."""
    running = _VERSION.search(_tag(operator, deployment))
    recorded = _VERSION.search(installed.version)
    return bool(installed.ours and running and recorded and running[0] != recorded[0])


def running_version(operator: Operator, deployment: Manifest) -> str:
    """The version of the image that a Deployment runs, else that of its label.

    A chart writes the label once; it stays the same if somebody sets another image.
    """
    tag = _tag(operator, deployment)
    if match := _VERSION.search(tag):
        return match[0]
    labels = objects.labels(deployment)
    return str(labels.get(common_labels.VERSION) or tag)


def _tag(operator: Operator, deployment: Manifest) -> str:
    """The tag of the operator's own image; a proxy's may be beside it."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    images = [str(container["image"]) for container in containers]
    own = [image for image in images if operator.is_image(image)]
    name = (own or images)[0].partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]
