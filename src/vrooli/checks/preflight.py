"""What a deploy asks a cluster for before it touches anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from vrooli.chart.manifest import Manifest
from vrooli.checks import catalog, runner
from vrooli.checks.data import changes
from vrooli.checks.interface import Check, Outcome, Site, State, UnavailableError
from vrooli.errors import VrooliError
from vrooli.findings import Finding
from vrooli.kube import Kube

# How long all checks may take together, seconds.
LIMIT_S = 30.0


async def run(
    kube: Kube,
    namespace: str,
    manifests: Iterable[Manifest],
    loaded: Collection[str] = (),
    on_outcome: runner.OnOutcome = runner.ignore,
    *,
    checks: Sequence[Check] | None = None,
    kind: str = "",
) -> list[Finding]:
    """Everything that stands in the way of these objects; nothing when they can be deployed.

    What this kubeconfig may not look at stands in nobody's way: classes and nodes belong to the
    cluster, and a deploy needs no right to read them.

    Args:
        kube: The cluster.
        namespace: Where they go; need not be there.
        manifests: The release's objects.
        loaded: Images that are on the nodes, which don't tell of all, and of new ones a minute
            later.
        on_outcome: Called with each outcome at once, the unknown ones included.
        checks: Which checks; None are all that stop a deploy.
        kind: The kind of cluster (embedded, minikube, kind, context); empty where unknown.

    Raises:
        VrooliError: The API server doesn't answer.
    """
    site = Site.of(kube, namespace, tuple(manifests), loaded=frozenset(loaded), kind=kind)
    chosen = catalog.STOP_DEPLOYS if checks is None else checks
    patient = [replace(check, limit_s=LIMIT_S) for check in chosen]
    return [
        finding
        for outcome in await runner.run(patient, site, on_outcome, limit_s=LIMIT_S)
        for finding in _findings(outcome)
    ]


def _findings(outcome: Outcome) -> tuple[Finding, ...]:
    error = outcome.error
    if error and not isinstance(error, UnavailableError) and not runner.is_forbidden(error):
        raise error
    return outcome.findings


async def demand_data_fit(kube: Kube, namespace: str, manifests: Iterable[Manifest]) -> None:
    """Refuse what the operators can't do to the databases and volumes that are there.

    Raises:
        NotDeployableError: Something of it; nothing was changed.
        VrooliError: The API server doesn't answer.
    """
    demand(await run(kube, namespace, manifests, checks=(changes.CHECK,)))


def unavailable(outcomes: Iterable[Outcome]) -> str:
    """What could not be looked at, in words; empty when all of it was seen.

    Of a check that saw a part, what it could not see is told: the rest doesn't make up for it.
    """
    parts = {
        one.check.title: f" ({'; '.join(one.unavailable)})" if one.unavailable else ""
        for one in outcomes
        if one.state is State.UNKNOWN or one.unavailable
    }
    titles = [f"{title}{parts[title]}" for title in sorted(parts)]
    return f"could not be seen (`vrooli check` says why): {', '.join(titles)}" if titles else ""


def warnings(outcomes: Iterable[Outcome]) -> str:
    """What a person has to do, though it stops nothing, in words; empty when there is nothing."""
    return "; ".join(f"warning: {warning}" for one in outcomes for warning in one.warnings)


class NotDeployableError(VrooliError):
    """The cluster lacks what the release needs; nothing was changed."""

    exit_code = 3


def demand(findings: Sequence[Finding]) -> None:
    """Raise what was found, all of it at once.

    Raises:
        NotDeployableError: Something was found.
    """
    if findings:
        lines = [f"  {finding}" for finding in findings]
        raise NotDeployableError(
            "\n".join(["The cluster can't take this release; nothing was changed:", *lines])
        )
