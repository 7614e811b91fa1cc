"""The checks that a deploy runs before it changes anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from vrooli import inert
from vrooli.chart.manifest import Manifest
from vrooli.checks import catalog, runner
from vrooli.checks.data import changes
from vrooli.checks.interface import Check, Outcome, Site, State, UnavailableError
from vrooli.checks.operators import postgres_images
from vrooli.errors import VrooliError
from vrooli.findings import Finding
from vrooli.kube import Kube

# The timeout of all checks together, seconds. A deploy waits for a busy cluster: without an answer
# it would not start at all.
LIMIT_S = 60.0
DATABASES = (changes.CHECK, postgres_images.CHECK)


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
    """Find all problems that prevent a deploy of these objects.

    Objects that this kubeconfig may not read are not a problem: classes and nodes belong to the
    cluster, and a deploy needs no permission to read them.

    Args:
        kube: The cluster.
        namespace: Their namespace, which may not exist.
        manifests: The release's objects.
        loaded: Images that are on the nodes; nodes do not report all, and new ones only after a
            minute.
        on_outcome: Called with each outcome immediately, including unknown ones.
        checks: The checks; None for all that stop a deploy.
        kind: The kind of cluster (embedded, minikube, kind, context); empty if unknown.

    Raises:
        VrooliError: The API server does not respond.
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
    """Reject databases that the operators cannot run, and changes that they cannot apply to data.

    Raises:
        NotDeployableError: There is one; nothing was changed.
        VrooliError: The API server does not respond.
    """
    demand(await run(kube, namespace, manifests, checks=DATABASES))


def unavailable(outcomes: Iterable[Outcome]) -> str:
    """The checks that could not be completed, as text; empty if all were.

    A partial check is included with what it could not read.
    """
    parts = {
        one.check.title: f" ({'; '.join(one.unavailable)})" if one.unavailable else ""
        for one in outcomes
        if one.state is State.UNKNOWN or one.unavailable
    }
    titles = [f"{title}{parts[title]}" for title in sorted(parts)]
    return (
        f"not checked (run `vrooli check` for the reasons): {', '.join(titles)}" if titles else ""
    )


def warnings(outcomes: Iterable[Outcome]) -> str:
    """The warnings of the checks as text; empty if there are none."""
    return "; ".join(f"warning: {warning}" for one in outcomes for warning in one.warnings)


class NotDeployableError(VrooliError):
    """The cluster lacks what the release needs; nothing was changed."""

    exit_code = 3


def demand(findings: Sequence[Finding]) -> None:
    """Raise an error with all findings.

    Raises:
        NotDeployableError: There are findings.
    """
    if findings:
        lines = [inert.line(f"  {finding}") for finding in findings]
        raise NotDeployableError(
            "\n".join(
                ["The release cannot be deployed to this cluster; nothing was changed:", *lines]
            )
        )
