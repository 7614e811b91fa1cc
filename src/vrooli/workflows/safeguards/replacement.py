"""Whether develop may replace the release that is there by what the sources make."""

from __future__ import annotations

from pathlib import Path

from vrooli.environments import Environment
from vrooli.errors import PrerequisiteError, UsageError, VrooliError
from vrooli.kube import Kube
from vrooli.release import Release
from vrooli.release.records import storage
from vrooli.release.records.metadata import Kind
from vrooli.workflows.clusters import embedded
from vrooli.workflows.clusters.selection import Choice
from vrooli.workflows.safeguards.consent import Action, Consent

# No revision.
NONE = 0
# What is said of a release by what it was made of, with its version.
_ORIGINS = {
    Kind.ARTIFACT: ", version {0}, which was deployed from an artifact,",
    Kind.SOURCE: "",
    Kind.UNKNOWN: ", whose origin is unknown,",
}


async def demand_early(choice: Choice, environment: Environment, consent: Consent) -> int | None:
    """Demand a yes before anything is touched.

    Returns:
        The revision that may be replaced, 0 where there was none or all was agreed to; None where
        that can't be known: a cluster that doesn't run doesn't tell what is in it.

    Raises:
        UsageError: A yes is missing.
        InterruptError: The person said no.
    """
    if consent.yes:
        return NONE
    if choice.embedded and (await embedded.named(choice.name).status()).state == embedded.ABSENT:
        return NONE  # it holds no release yet
    try:
        kube, kubeconfig = await _connect(choice)
    except VrooliError:  # it is to be started, or its start says what is wrong with it
        return None
    async with kube:
        return await demand(kube, Release.of(environment, kubeconfig), environment, consent)


async def _connect(choice: Choice) -> tuple[Kube, Path]:
    """A client of the cluster as it is, and its kubeconfig.

    Raises:
        VrooliError: It doesn't run.
    """
    if choice.embedded:
        kubeconfig = embedded.named(choice.name).kubeconfig
        return await Kube.connect(kubeconfig), kubeconfig
    cluster = choice.external()
    return await cluster.connect(), cluster.kubeconfig


async def demand(kube: Kube, release: Release, environment: Environment, consent: Consent) -> int:
    """Demand a yes, where the release that is there needs one.

    Returns:
        The revision that may be replaced, 0 where there is none.

    Raises:
        UsageError: A yes is missing.
        InterruptError: The person said no.
    """
    record = await storage.fetch_record(kube, release)
    if record is None:
        return NONE
    origin = record.metadata.origin
    action = Action.DEVELOP if origin.kind is Kind.SOURCE else Action.REPLACE_ARTIFACT
    change = f"replace {release}{_ORIGINS[origin.kind]} by what the sources here make"
    consent.demand(action, environment.name, change.format(origin.version))
    return record.revision.number


async def check_again(
    kube: Kube, release: Release, environment: Environment, consent: Consent, agreed: int
) -> None:
    """Another deploy may have ended since: what it brought isn't replaced without a yes.

    Args:
        kube: The cluster.
        release: The release, whose Lease is held.
        environment: Whose it is.
        consent: What the person has agreed to.
        agreed: The revision that may be replaced.

    Raises:
        PrerequisiteError: It has, and what is there now needs a yes of its own.
    """
    last = await storage.fetch_revision(kube, release)
    if last is None or last.number == agreed:
        return
    try:
        await demand(kube, release, environment, Consent(yes=consent.yes))
    except UsageError as error:
        raise PrerequisiteError(
            f"Another deploy of {release.name} has ended meanwhile; this run has not changed it.",
            "Run the same command again: it asks about what is there now.",
        ) from error
