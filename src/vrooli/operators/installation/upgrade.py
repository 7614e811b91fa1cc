"""Upgrades of installed operators: what would change, what forbids it, and the way back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

from vrooli.errors import VrooliError
from vrooli.events import Progress
from vrooli.kube import Manifest, objects
from vrooli.kube.objects import Body, ref_of
from vrooli.operators import versions
from vrooli.operators.installation import helm, record
from vrooli.operators.installation.install import (
    find_deployment,
    is_other_version,
    running_version,
)
from vrooli.operators.installation.record import Record
from vrooli.operators.model import INSTALL_COMMAND, Operator, Site, Source

# Who installed an operator, for people.
OURS = {
    Source.VENDOR: "vrooli, the chart of its vendor",
    Source.GO_MODULE: "vrooli, the Go module",
}
HELM_RELEASE = "meta.helm.sh/release-name"
OLM_OWNER = "olm.owner"


@dataclass(frozen=True)
class Plan:
    """What an upgrade of an operator would change.

    Attributes:
        operator: The operator.
        source: Where the new version comes from.
        installed: The version that runs; empty if the operator is not installed.
        owner: Who installed it, for people.
        target: The version that would run.
        refusal: Why it is not possible, as a sentence; empty if it is.
        advice: What to do about the refusal.
        doubt: Why it is done only if it is forced, as a sentence; empty if it need not be forced.
        is_foreign: Whether another program manages the operator.
    """

    operator: Operator
    source: Source
    installed: str
    owner: str
    target: str
    refusal: str = ""
    advice: str = ""
    doubt: str = ""
    is_foreign: bool = False


async def plan(operator: Operator, source: Source, site: Site, bodies: Iterable[Body]) -> Plan:
    """Plan the upgrade of an operator; nothing is changed.

    Args:
        operator: The operator.
        source: Where it would come from, see `sources.choose`.
        site: The cluster.
        bodies: The objects that it manages.
    """
    installed = await record.read(site.kube, operator.namespace)
    deployment = await find_deployment(operator, site.kube)
    target = operator.distributions[source].version
    if deployment is None:
        return Plan(
            operator,
            source,
            "",
            "",
            target,
            refusal=f"{operator.title} is not installed.",
            advice=f"Install it: `{INSTALL_COMMAND}`.",
        )
    running = running_version(operator, deployment)
    result = Plan(operator, source, running, _owner(installed, deployment), target)
    if not installed.ours or is_other_version(operator, deployment, installed):
        return _refuse_foreign(result, installed, deployment)
    return _judge_version(result, bodies)


def _judge_version(result: Plan, bodies: Iterable[Body]) -> Plan:
    """Refuse a version that is older or cannot manage the objects; doubt an unproven upgrade."""
    operator, running, target = result.operator, result.installed, result.target
    if versions.is_newer(running, target):
        return replace(
            result,
            refusal=f"{operator.title} {running} is newer than {target}, which this version of "
            "vrooli installs: a downgrade is not supported.",
            advice="Use the version of vrooli that installed it, or a newer one.",
        )
    if unsupported := "; ".join(operator.unsupported(target, bodies)):
        return replace(
            result,
            refusal=f"{operator.title} {target} cannot manage what {running} manages: "
            f"{unsupported}.",
            advice=f"See which versions it has images of: {versions.DOCUMENT}.",
        )
    if not versions.is_known_upgrade(operator.name, running, target):
        doubt = (
            f"An upgrade of {operator.title} from {running} to {target} was not proven "
            f"({versions.DOCUMENT})."
        )
        return replace(result, doubt=doubt)
    return result


def _refuse_foreign(result: Plan, installed: Record, deployment: Manifest) -> Plan:
    """Refuse an operator that others installed, or of which others run another version."""
    title = result.operator.title
    if installed.ours:
        return replace(
            result,
            is_foreign=True,
            refusal=f"{title} was installed by vrooli in version {installed.version}, and another "
            f"program has changed it to {result.installed}.",
            advice=f"Restore it: kubectl rollout history {ref_of(deployment).words}",
        )
    return replace(
        result,
        is_foreign=True,
        refusal=f"{title} {result.installed} was not installed by vrooli, but by {result.owner}.",
        advice="Upgrade it with the program that installed it.",
    )


def _owner(installed: Record, deployment: Manifest) -> str:
    """Who installed an operator."""
    if installed.ours:
        return OURS.get(Source(installed.source), "vrooli") if installed.source else "vrooli"
    place = ref_of(deployment)
    if release := objects.annotations_of(deployment).get(HELM_RELEASE):
        return f"the Helm release {release} in namespace {place.namespace}"
    if owner := objects.labels(deployment).get(OLM_OWNER):
        return f"the Operator Lifecycle Manager ({owner})"
    return f"another program, as {place}"


@dataclass(frozen=True)
class PreviousOperator:
    """What an operator was before its upgrade.

    Attributes:
        operator: The operator.
        record: The record of its installation.
        revision: The revision of its Helm release; 0 if there is none.
    """

    operator: Operator
    record: Record
    revision: int

    @classmethod
    async def read(cls, operator: Operator, site: Site) -> PreviousOperator:
        """Read what an operator is now."""
        installed = await record.read(site.kube, operator.namespace)
        name = operator.distributions[Source(installed.source)].release if installed.source else ""
        revision = await helm.fetch_revision(site.kube, operator.namespace, name) if name else 0
        return cls(operator, installed, revision)

    async def restore(
        self, site: Site, await_ready: Callable[[], Awaitable[None]], progress: Progress
    ) -> str:
        """Go back to the previous release of the operator, if Helm has installed it.

        The definitions stay: older objects are valid in newer ones.

        Args:
            site: Where the operator is installed.
            await_ready: Waits until its pods are ready.
            progress: Receives what is done.

        Returns:
            What was done, as a clause.
        """
        title, version = self.operator.title, self.record.version or "its previous release"
        if not self.revision:
            await self._mark_unfinished(site)
            return f"{title} stays as it is: Helm has no previous release of it"
        progress.report(f"goes back to {title} {version}")
        name = self.operator.distributions[Source(self.record.source)].release
        namespace = self.operator.namespace
        try:
            await helm.roll_back(site.kubeconfig, namespace, name, self.revision)
            await record.write(site.kube, namespace, self.record)
        except VrooliError as error:
            return f"{title} could not go back to {version}: {error.message}"
        back = f"went back to {title} {version} (Helm's revision {self.revision})"
        try:
            await await_ready()
        except VrooliError as error:
            return f"{back}, which is not ready: {error.message}"
        return f"{back}, which is ready"

    async def _mark_unfinished(self, site: Site) -> None:
        """Let the next run install the operator again, from the same source."""
        now = await record.read(site.kube, self.operator.namespace)
        unfinished = replace(now, source=self.record.source, inputs="")
        await record.write(site.kube, self.operator.namespace, unfinished)
