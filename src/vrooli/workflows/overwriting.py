"""Whether develop may replace the release that is there by what the sources make."""

from __future__ import annotations

from pathlib import Path

from vrooli.environments import Environment
from vrooli.errors import VrooliError
from vrooli.kube import Kube
from vrooli.release import Release, history, record
from vrooli.release.record import Kind
from vrooli.workflows import clusters
from vrooli.workflows.cluster import Choice
from vrooli.workflows.consent import Action, Consent


async def demand_early(choice: Choice, environment: Environment, consent: Consent) -> bool:
    """Demand a yes before anything is touched.

    Returns:
        Whether that was possible: a cluster that doesn't run doesn't tell what is in it.

    Raises:
        UsageError: A yes is missing.
        InterruptError: The person said no.
    """
    if consent.yes:
        return True
    if choice.embedded and (await clusters.named(choice.name).status()).state == clusters.ABSENT:
        return True  # it holds no release yet
    try:
        kube, kubeconfig = await _connect(choice)
    except VrooliError:  # it is to be started, or its start says what is wrong with it
        return False
    async with kube:
        await demand(kube, Release.of(environment, kubeconfig), environment, consent)
    return True


async def _connect(choice: Choice) -> tuple[Kube, Path]:
    """A client of the cluster as it is, and its kubeconfig.

    Raises:
        VrooliError: It doesn't run.
    """
    if choice.embedded:
        kubeconfig = clusters.named(choice.name).kubeconfig
        return await Kube.connect(kubeconfig), kubeconfig
    cluster = choice.external()
    return await cluster.connect(), cluster.kubeconfig


async def demand(kube: Kube, release: Release, environment: Environment, consent: Consent) -> None:
    """Demand a yes, where the release that is there needs one.

    Raises:
        UsageError: A yes is missing.
        InterruptError: The person said no.
    """
    last = await history.last(release)
    if last is None:
        return
    its = (await record.records(kube, release)).get(last.number, record.UNKNOWN)
    what = "by what the sources here make"
    if its.origin.kind is Kind.ARTIFACT:
        has = f"version {its.origin.version}, which came from an artifact,"
        change = f"replace {release}, {has} {what}"
        consent.demand(Action.REPLACE_ARTIFACT, environment.name, change)
    else:
        consent.demand(Action.DEVELOP, environment.name, f"replace {release} {what}")
