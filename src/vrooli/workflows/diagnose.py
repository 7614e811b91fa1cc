"""Why isn't a release healthy? Looks at everything once, and says the causes first."""

from __future__ import annotations

import time
from dataclasses import replace

from vrooli.diagnosis import catalog, judge
from vrooli.diagnosis.collect import collect
from vrooli.diagnosis.interface import Cause, Diagnosis
from vrooli.environments import ENVIRONMENTS, Environment
from vrooli.events import Listener, Progress
from vrooli.findings import Finding
from vrooli.release import Release
from vrooli.workflows import access
from vrooli.workflows.results import CauseView, DiagnoseResult, FindingView, UnseenView


async def diagnose(
    environment: Environment, namespace: str | None, cluster: str | None, listener: Listener
) -> DiagnoseResult:
    """Diagnose the release of an environment, or the one in a namespace.

    Raises:
        UsageError: The cluster's name is wrong.
        EnvironmentLackError: The cluster doesn't run, or doesn't answer.
    """
    began = time.monotonic()
    Progress("diagnose", listener).say("looks at the release and at what it stands on")
    async with access.connect(cluster) as reached:
        where = _place(environment, namespace)
        release = Release.of(where, reached.cluster.kubeconfig)
        evidence, redactor = await collect(reached.kube, release)
    found = judge.diagnose(evidence, catalog.ALL, redactor)
    return _result(release, found, time.monotonic() - began)


def _place(environment: Environment, namespace: str | None) -> Environment:
    """The environment whose namespace that is; else the given one's release, elsewhere."""
    if namespace is None or namespace == environment.namespace:
        return environment
    known = (item for item in ENVIRONMENTS.values() if item.namespace == namespace)
    return next(known, replace(environment, namespace=namespace))


def _result(release: Release, found: Diagnosis, elapsed_s: float) -> DiagnoseResult:
    return DiagnoseResult(
        ok=not found.causes,
        release=release.name,
        namespace=release.namespace,
        causes=tuple(map(_cause, found.causes)),
        unseen=tuple(UnseenView(what=item.what, why=item.why) for item in found.unseen),
        rules=len(catalog.ALL),
        elapsed_s=round(elapsed_s, 3),
    )


def _cause(cause: Cause) -> CauseView:
    return CauseView(
        finding=view(cause.finding), follows=tuple(view(item) for item in cause.follows)
    )


def view(finding: Finding) -> FindingView:
    """A finding as results have it."""
    return FindingView(**vars(finding))
