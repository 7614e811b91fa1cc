"""Confirmation before develop installs a release, or replaces an existing one."""

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
# How a release is described by its origin, with its version.
_ORIGINS = {
    Kind.ARTIFACT: ", version {0}, which was deployed from an artifact,",
    Kind.SOURCE: "",
    Kind.UNKNOWN: ", whose origin is unknown,",
}


async def demand_early(choice: Choice, environment: Environment, consent: Consent) -> int | None:
    """Demand the confirmation before anything changes.

    Returns:
        The revision that may be replaced; 0 if there is none or ``--yes`` was given; None if it is
        unknown because the cluster doesn't run.

    Raises:
        UsageError: The confirmation is missing.
        InterruptError: The user declined.
    """
    if consent.yes:
        return NONE
    if choice.embedded and (await embedded.named(choice.name).status()).state == embedded.ABSENT:
        # It holds no release yet.
        consent.demand(
            Action.DEVELOP,
            environment.name,
            f"create cluster {choice} and install {environment.release} of this working tree in it",
        )
        return NONE
    try:
        kube, kubeconfig = await connect(choice)
    except VrooliError:  # develop starts it, or its start fails with a message
        return None
    async with kube:
        return await demand(kube, Release.of(environment, kubeconfig), environment, consent)


async def connect(choice: Choice) -> tuple[Kube, Path]:
    """Connect to the cluster; also returns its kubeconfig.

    Raises:
        VrooliError: It doesn't run.
    """
    if choice.embedded:
        kubeconfig = embedded.named(choice.name).kubeconfig
        return await Kube.connect(kubeconfig), kubeconfig
    cluster = choice.external()
    return await cluster.connect(), cluster.kubeconfig


async def demand(kube: Kube, release: Release, environment: Environment, consent: Consent) -> int:
    """Demand the confirmation that a first release, or the existing one, requires.

    Returns:
        The revision that may be replaced; 0 if there is none.

    Raises:
        UsageError: The confirmation is missing.
        InterruptError: The user declined.
    """
    record = await storage.fetch_record(kube, release)
    if record is None:
        change = f"install {release}, a release of this working tree"
        consent.demand(Action.DEVELOP, environment.name, change)
        return NONE
    origin = record.metadata.origin
    action = Action.DEVELOP if origin.kind is Kind.SOURCE else Action.REPLACE_ARTIFACT
    change = f"replace {release}{_ORIGINS[origin.kind]} by a release of this working tree"
    consent.demand(action, environment.name, change.format(origin.version))
    return record.revision.number


async def check_again(
    kube: Kube, release: Release, environment: Environment, consent: Consent, agreed: int
) -> None:
    """Check again under the lock: a release of another deploy is not replaced unconfirmed.

    Args:
        kube: The cluster.
        release: The release, whose Lease is held.
        environment: Whose it is.
        consent: What the user has confirmed.
        agreed: The revision that may be replaced.

    Raises:
        PrerequisiteError: A newer release requires its own confirmation.
    """
    last = await storage.fetch_revision(kube, release)
    if last is None or last.number == agreed:
        return
    try:
        await demand(kube, release, environment, Consent(yes=consent.yes))
    except UsageError as error:
        raise PrerequisiteError(
            f"Another deploy of {release.name} finished in the meantime; "
            "this run did not change it.",
            "Run the same command again to confirm the current state.",
        ) from error
